WITH pgrst_source AS (SELECT "pgrst_call"."title" FROM "api"."film"("id" := $1::integer) AS "pgrst_call") SELECT row_to_json("_t".*) FROM (SELECT "films"."title" FROM "pgrst_source" AS "films") AS "_t"
$1 = 1
