SELECT "_t"."name" AS "c1", "_t"."films" AS "c2" FROM (SELECT "api"."directors"."name", COALESCE("embed_1"."embed_1", '[]') AS "films" FROM "api"."directors" LEFT JOIN LATERAL (SELECT json_agg("embed_1".*) AS "embed_1" FROM (SELECT "films_1"."id", "films_1"."title" FROM "api"."films" AS "films_1" WHERE "films_1"."year" > $1 AND "films_1"."director_id" = "api"."directors"."id" ORDER BY "films_1"."year" DESC LIMIT $2 OFFSET $3) AS "embed_1") AS "embed_1" ON TRUE) AS "_t"
$1 = 1950
$2 = 2
$3 = 1
