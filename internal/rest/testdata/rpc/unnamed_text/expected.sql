WITH pgrst_source AS (SELECT "pgrst_call"."pgrst_scalar" FROM (SELECT "api"."echo_text"($1::text) AS "pgrst_scalar") AS "pgrst_call") SELECT coalesce(to_json("_t"."pgrst_scalar"), 'null') FROM (SELECT "echo_text".* FROM "pgrst_source" AS "echo_text") AS "_t"
$1 = any text
