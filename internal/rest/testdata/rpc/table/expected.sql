WITH pgrst_source AS (SELECT "pgrst_call".* FROM "api"."per_rating"() AS "pgrst_call") SELECT row_to_json("_t".*) FROM (SELECT "record".* FROM "pgrst_source" AS "record") AS "_t"
