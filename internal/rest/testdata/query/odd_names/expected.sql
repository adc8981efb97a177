SELECT "_t"."the id" AS c1, "_t"."select" AS c2, "_t"."a,b" AS c3, "_t"."c.d" AS c4, "_t"."ünï" AS c5 FROM (SELECT "api"."Odd ""Names"""."the id", "api"."Odd ""Names"""."select", "api"."Odd ""Names"""."a,b", "api"."Odd ""Names"""."c.d", "api"."Odd ""Names"""."ünï" FROM "api"."Odd ""Names""" WHERE "api"."Odd ""Names"""."a,b" = $1 ORDER BY "api"."Odd ""Names"""."c.d" DESC) AS "_t"
$1 = comma
