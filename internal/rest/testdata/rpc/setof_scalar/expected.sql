WITH pgrst_source AS (SELECT "pgrst_call"."pgrst_scalar" FROM (SELECT "api"."numbers"("upto" := $1::integer) AS "pgrst_scalar") AS "pgrst_call") SELECT coalesce(to_json("_t"."pgrst_scalar"), 'null') FROM (SELECT "numbers".* FROM "pgrst_source" AS "numbers") AS "_t"
$1 = 5
