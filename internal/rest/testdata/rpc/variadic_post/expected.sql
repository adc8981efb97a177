WITH pgrst_source AS (SELECT "pgrst_call"."pgrst_scalar" FROM json_to_record($1::json) AS "pgrst_body"("nums" integer[]), LATERAL (SELECT "api"."total"(VARIADIC "nums" := "pgrst_body"."nums") AS "pgrst_scalar") AS "pgrst_call") SELECT coalesce(to_json("_t"."pgrst_scalar"), 'null') FROM (SELECT "total".* FROM "pgrst_source" AS "total") AS "_t"
$1 = {"nums": [1, 2]}
