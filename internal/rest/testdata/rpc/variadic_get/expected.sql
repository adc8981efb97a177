WITH pgrst_source AS (SELECT "pgrst_call"."pgrst_scalar" FROM (SELECT "api"."total"(VARIADIC "nums" := $1::integer[]) AS "pgrst_scalar") AS "pgrst_call") SELECT coalesce(to_json("_t"."pgrst_scalar"), 'null') FROM (SELECT "total".* FROM "pgrst_source" AS "total") AS "_t"
$1 = {"1","2","3"}
