WITH pgrst_source AS (DELETE FROM "api"."notes" WHERE "api"."notes"."stars" < $1 RETURNING "api"."notes"."id") SELECT row_to_json("_t".*) FROM (SELECT "notes"."id" FROM "pgrst_source" AS "notes") AS "_t"
$1 = 3
