SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."words" @@ to_tsquery($1, $2) AND "api"."films"."words" @@ plainto_tsquery($3) AND to_tsvector($4, "api"."films"."title") @@ websearch_to_tsquery($5, $6) AND to_tsvector("api"."films"."title") @@ phraseto_tsquery($7)) AS "_t"
$1 = english
$2 = samurai
$3 = dune
$4 = english
$5 = english
$6 = dune -part
$7 = seven samurai
