WITH pgrst_source AS (SELECT "pgrst_call"."pgrst_scalar" FROM (SELECT "api"."echo_json"($1::json) AS "pgrst_scalar") AS "pgrst_call") SELECT coalesce(to_json("_t"."pgrst_scalar"), 'null') FROM (SELECT "echo_json".* FROM "pgrst_source" AS "echo_json") AS "_t"
$1 = {"any": [1]}
