INSERT INTO "api"."notes"("body", "day", "id") SELECT "pgrst_body"."body", "pgrst_body"."day", "pgrst_body"."id" FROM json_to_recordset($1::json) AS "pgrst_body"("body" text, "day" date, "id" integer)
$1 = [{"body":"a, b","day":null,"id":"7"}]
