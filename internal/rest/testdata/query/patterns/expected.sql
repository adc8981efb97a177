SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."title" LIKE $1 AND "api"."films"."title" ILIKE $2 AND "api"."films"."title" ~ $3 AND "api"."films"."title" ~* $4) AS "_t"
$1 = %samurai%
$2 = %dune%
$3 = ^D
$4 = ^d
