WITH pgrst_source AS (SELECT "pgrst_call".* FROM "api"."split"("whole" := $1::integer) AS "pgrst_call") SELECT row_to_json("_t".*) FROM (SELECT "record".* FROM "pgrst_source" AS "record") AS "_t"
$1 = 7
