INSERT INTO "api"."notes"("body", "id") SELECT "pgrst_body"."body", "pgrst_body"."id" FROM json_to_recordset($1::json) AS "pgrst_body"("body" text, "id" integer) ON CONFLICT ("id") DO NOTHING
$1 = [{"id": 1, "body": "new"}]
