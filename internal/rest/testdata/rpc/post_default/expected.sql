WITH pgrst_source AS (SELECT "pgrst_call"."pgrst_scalar" FROM json_to_record($1::json) AS "pgrst_body"("a" integer), LATERAL (SELECT "api"."add"("a" := "pgrst_body"."a") AS "pgrst_scalar") AS "pgrst_call") SELECT coalesce(to_json("_t"."pgrst_scalar"), 'null') FROM (SELECT "add".* FROM "pgrst_source" AS "add") AS "_t"
$1 = {"a": 1}
