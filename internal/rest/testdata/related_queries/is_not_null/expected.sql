SELECT "_t"."name" AS "c1" FROM (SELECT "api"."directors"."name" FROM "api"."directors" LEFT JOIN LATERAL (SELECT json_agg("embed_1".*) AS "embed_1" FROM (SELECT "films_1".* FROM "api"."films" AS "films_1" WHERE "films_1"."year" > $1 AND "films_1"."director_id" = "api"."directors"."id") AS "embed_1") AS "embed_1" ON TRUE WHERE "embed_1"."embed_1" IS DISTINCT FROM NULL) AS "_t"
$1 = 2000
