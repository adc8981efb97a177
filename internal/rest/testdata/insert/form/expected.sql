INSERT INTO "api"."notes"("body", "id") SELECT "pgrst_body"."body", "pgrst_body"."id" FROM json_to_record($1::json) AS "pgrst_body"("body" text, "id" integer)
$1 = {"body":"a b","id":"7"}
