WITH pgrst_source AS (SELECT "pgrst_call"."director_id", "pgrst_call"."title", "pgrst_call"."year" FROM "api"."films_of"("director" := $1::integer) AS "pgrst_call") SELECT row_to_json("_t".*) FROM (SELECT "films"."title", row_to_json("embed_1".*) AS "directors" FROM "pgrst_source" AS "films" LEFT JOIN LATERAL (SELECT "directors_1"."name" FROM "api"."directors" AS "directors_1" WHERE "directors_1"."id" = "films"."director_id") AS "embed_1" ON TRUE WHERE "films"."year" > $2 ORDER BY "films"."year" DESC LIMIT $3) AS "_t"
$1 = 1
$2 = 1960
$3 = 1
