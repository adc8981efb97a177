WITH pgrst_source AS (SELECT "pgrst_call"."pgrst_scalar" FROM (SELECT "api"."more"("a" := $1::integer, "b" := $2::integer) AS "pgrst_scalar") AS "pgrst_call") SELECT coalesce(to_json("_t"."pgrst_scalar"), 'null') FROM (SELECT "more".* FROM "pgrst_source" AS "more") AS "_t"
$1 = 1
$2 = 2
