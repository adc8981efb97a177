SELECT "_t"."id" AS "c1", "_t"."title" AS "c2", "_t"."year" AS "c3", to_json("_t"."rating") AS "c4", "_t"."director_id" AS "c5", "_t"."sequel_of" AS "c6", "_t"."info" AS "c7", "_t"."raw" AS "c8", to_json("_t"."tags") AS "c9", to_json("_t"."words") AS "c10", to_json("_t"."showing") AS "c11", "_t"."budget" AS "c12", "_t"."released" AS "c13" FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."tags" @> $1 AND "api"."films"."tags" <@ $2 AND "api"."films"."tags" && $3 AND "api"."films"."showing" << $4 AND "api"."films"."showing" >> $5 AND "api"."films"."showing" &< $6 AND "api"."films"."showing" &> $7 AND "api"."films"."showing" -|- $8) AS "_t"
$1 = {classic}
$2 = {classic,war}
$3 = {war,wave}
$4 = [2000-01-01,2001-01-01)
$5 = [1900-01-01,1901-01-01)
$6 = [1962-01-01,1963-01-01)
$7 = [1950-01-01,1951-01-01)
$8 = [1954-12-31,1955-01-01)
