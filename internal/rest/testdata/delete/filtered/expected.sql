DELETE FROM "api"."notes" WHERE "api"."notes"."id" = ANY ($1)
$1 = {"1","2"}
