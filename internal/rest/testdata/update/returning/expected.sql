WITH pgrst_source AS (UPDATE "api"."films" SET "released" = "pgrst_body"."released" FROM json_to_record($1::json) AS "pgrst_body"("released" boolean) WHERE "api"."films"."id" < $2 RETURNING "api"."films"."director_id", "api"."films"."id", "api"."films"."title") SELECT row_to_json("_t".*) FROM (SELECT "films"."title", row_to_json("embed_1".*) AS "directors" FROM "pgrst_source" AS "films" LEFT JOIN LATERAL (SELECT "directors_1"."name" FROM "api"."directors" AS "directors_1" WHERE "directors_1"."id" = "films"."director_id") AS "embed_1" ON TRUE) AS "_t"
$1 = {"released": false}
$2 = 3
