UPDATE "api"."films" SET "info" = "pgrst_body"."info", "title" = "pgrst_body"."title" FROM json_to_record($1::json) AS "pgrst_body"("info" jsonb, "title" text) WHERE "api"."films"."id" = $2 AND ("api"."films"."year" = $3 OR "api"."films"."title" = $4)
$1 = {"title": "Shichinin", "info": {"a": 1}}
$2 = 1
$3 = 1954
$4 = x
