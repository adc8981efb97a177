WITH pgrst_source AS (SELECT "pgrst_call"."pgrst_scalar" FROM (SELECT "api"."echo_bytes"($1::bytea) AS "pgrst_scalar") AS "pgrst_call") SELECT coalesce(to_json("_t"."pgrst_scalar"), 'null') FROM (SELECT "echo_bytes".* FROM "pgrst_source" AS "echo_bytes") AS "_t"
$1 = \x6279746573
