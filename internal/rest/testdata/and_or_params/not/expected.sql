SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE NOT ("api"."films"."id" = $1 OR "api"."films"."id" = $2)) AS "_t"
$1 = 1
$2 = 2
