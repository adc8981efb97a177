WITH pgrst_source AS (SELECT "pgrst_call"."pgrst_scalar" FROM (SELECT "api"."add"("a" := $1::integer, "b" := $2::integer) AS "pgrst_scalar") AS "pgrst_call") SELECT coalesce(to_json("_t"."pgrst_scalar"), 'null') FROM (SELECT "add".* FROM "pgrst_source" AS "add") AS "_t"
$1 = 1
$2 = 2
