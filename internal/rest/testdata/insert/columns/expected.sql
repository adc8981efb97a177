WITH pgrst_source AS (INSERT INTO "api"."films"("title", "year") SELECT "pgrst_body"."title", "pgrst_body"."year" FROM json_to_recordset($1::json) AS "pgrst_body"("title" text, "year" api.year) RETURNING "api"."films".*) SELECT row_to_json("_t".*) FROM (SELECT * FROM pgrst_source) AS "_t"
$1 = [{"title": "Ran", "year": 1985, "ignored": true}]
