SELECT "_t"."id" AS "c1", "_t"."title" AS "c2", "_t"."year" AS "c3", to_json("_t"."rating") AS "c4", "_t"."director_id" AS "c5", "_t"."sequel_of" AS "c6", "_t"."info" AS "c7", "_t"."raw" AS "c8", to_json("_t"."tags") AS "c9", to_json("_t"."words") AS "c10", to_json("_t"."showing") AS "c11", "_t"."budget" AS "c12", "_t"."released" AS "c13" FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."words" @@ to_tsquery($1, $2) AND "api"."films"."words" @@ plainto_tsquery($3) AND to_tsvector($4, "api"."films"."title") @@ websearch_to_tsquery($5, $6) AND to_tsvector("api"."films"."title") @@ phraseto_tsquery($7)) AS "_t"
$1 = english
$2 = samurai
$3 = dune
$4 = english
$5 = english
$6 = dune -part
$7 = seven samurai
