INSERT INTO "api"."films"("title", "year") SELECT "pgrst_body"."title", "pgrst_body"."year" FROM json_to_record($1::json) AS "pgrst_body"("title" text, "year" api.year)
$1 = {"title": "Ran", "year": 1985}
