SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE ("api"."films"."year" >= $1 AND ("api"."films"."director_id" = $2 OR NOT ("api"."films"."id" > $3 AND "api"."films"."id" < $4)))) AS "_t"
$1 = 1960
$2 = 1
$3 = 3
$4 = 5
