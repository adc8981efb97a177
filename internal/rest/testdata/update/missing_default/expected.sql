UPDATE "api"."notes" SET "body" = "pgrst_body"."body", "stars" = "pgrst_body"."stars" FROM jsonb_to_record(jsonb_build_object($1::text, 'nothing'::text, $2::text, 3) || $3::jsonb) AS "pgrst_body"("body" text, "stars" integer) WHERE "api"."notes"."id" = $4
$1 = body
$2 = stars
$3 = {"body": "x"}
$4 = 1
