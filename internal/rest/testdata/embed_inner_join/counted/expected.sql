SELECT _c.n, _r.* FROM (SELECT (SELECT count(*) FROM (SELECT 1 FROM "api"."directors" WHERE EXISTS (SELECT 1 FROM "api"."films" AS "films_1" WHERE "films_1"."year" > $1 AND "films_1"."director_id" = "api"."directors"."id")) AS _s) AS n) AS _c LEFT JOIN (SELECT TRUE AS here, "_t"."name" AS "c1", "_t"."films" AS "c2" FROM (SELECT "api"."directors"."name", COALESCE("embed_1"."embed_1", '[]') AS "films" FROM "api"."directors" INNER JOIN LATERAL (SELECT json_agg("embed_1".*) AS "embed_1" FROM (SELECT "films_1"."title" FROM "api"."films" AS "films_1" WHERE "films_1"."year" > $2 AND "films_1"."director_id" = "api"."directors"."id") AS "embed_1") AS "embed_1" ON "embed_1"."embed_1" IS NOT NULL LIMIT $3) AS "_t") AS _r ON TRUE
$1 = 2000
$2 = 2000
$3 = 1
