SELECT "_t"."name" AS "c1", "_t"."films" AS "c2" FROM (SELECT "api"."directors"."name", COALESCE("embed_1"."embed_1", '[]') AS "films" FROM "api"."directors" LEFT JOIN LATERAL (SELECT json_agg("embed_1".*) AS "embed_1" FROM (SELECT "films_1"."title" FROM "api"."films" AS "films_1" WHERE ("films_1"."year" < $1 OR "films_1"."rating" = $2) AND NOT ("films_1"."id" = $3 AND "films_1"."year" = $4) AND "films_1"."director_id" = "api"."directors"."id") AS "embed_1") AS "embed_1" ON TRUE) AS "_t"
$1 = 1960
$2 = G
$3 = 1
$4 = 1954
