SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" LIMIT $1 OFFSET $2) AS "_t"
$1 = 2
$2 = 1
