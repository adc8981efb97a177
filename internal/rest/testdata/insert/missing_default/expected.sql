INSERT INTO "api"."notes"("body", "day", "id", "stars") SELECT "pgrst_body"."body", "pgrst_body"."day", "pgrst_body"."id", "pgrst_body"."stars" FROM jsonb_to_recordset((SELECT jsonb_agg(jsonb_build_object($1::text, 'nothing'::text, $2::text, '2020-02-02'::date, $3::text, 3) || given) FROM jsonb_array_elements($4::jsonb) AS given)) AS "pgrst_body"("body" text, "day" date, "id" integer, "stars" integer)
$1 = body
$2 = day
$3 = stars
$4 = [{"id": 7}, {"id": 8, "stars": 1}]
