SELECT row_to_json("_t".*) FROM (SELECT "api"."Odd ""Names"""."the id", "api"."Odd ""Names"""."select", "api"."Odd ""Names"""."a,b", "api"."Odd ""Names"""."c.d", "api"."Odd ""Names"""."ünï" FROM "api"."Odd ""Names""" WHERE "api"."Odd ""Names"""."a,b" = $1 ORDER BY "api"."Odd ""Names"""."c.d" DESC) AS "_t"
$1 = comma
