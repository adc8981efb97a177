INSERT INTO "other"."things"("id", "name") SELECT "pgrst_body"."id", "pgrst_body"."name" FROM json_to_record($1::json) AS "pgrst_body"("id" integer, "name" text)
$1 = {"id": 2, "name": "x"}
