SELECT "_t"."id" AS "c1", "_t"."title" AS "c2", "_t"."year" AS "c3", to_json("_t"."rating") AS "c4", "_t"."director_id" AS "c5", "_t"."sequel_of" AS "c6", "_t"."info" AS "c7", "_t"."raw" AS "c8", to_json("_t"."tags") AS "c9", to_json("_t"."words") AS "c10", to_json("_t"."showing") AS "c11", "_t"."budget" AS "c12", "_t"."released" AS "c13" FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."info"->>$1 > $2 AND "api"."films"."info"->$3->>$4 = $5 AND "api"."films"."info"->$6->>$7::int = $8) AS "_t"
$1 = length
$2 = 100
$3 = crew
$4 = music
$5 = Sato
$6 = prizes
$7 = +0
$8 = lion
