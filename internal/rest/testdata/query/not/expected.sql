SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE NOT "api"."films"."id" = $1 AND NOT "api"."films"."title" LIKE ALL($2) AND NOT "api"."films"."id" = ANY ($3)) AS "_t"
$1 = 1
$2 = {D%,S%}
$3 = {"2","3"}
