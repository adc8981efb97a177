SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE ("api"."films"."id" = $1 OR "api"."films"."title" = $2 OR "api"."films"."rating" IS NULL)) AS "_t"
$1 = 1
$2 = Dune, or not
