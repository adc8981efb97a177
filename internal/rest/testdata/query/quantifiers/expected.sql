SELECT "_t"."id" AS "c1", "_t"."title" AS "c2", "_t"."year" AS "c3", to_json("_t"."rating") AS "c4", "_t"."director_id" AS "c5", "_t"."sequel_of" AS "c6", "_t"."info" AS "c7", "_t"."raw" AS "c8", to_json("_t"."tags") AS "c9", to_json("_t"."words") AS "c10", to_json("_t"."showing") AS "c11", "_t"."budget" AS "c12", "_t"."released" AS "c13" FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."title" LIKE ANY($1) AND "api"."films"."id" > ALL($2) AND "api"."films"."year" = ANY($3)) AS "_t"
$1 = {Dune%,Seven%}
$2 = {1,2}
$3 = {1954,1962}
