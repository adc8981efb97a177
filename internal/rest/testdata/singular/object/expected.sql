SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."id" = $1) AS "_t"
$1 = 1
