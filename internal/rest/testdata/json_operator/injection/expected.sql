SELECT "_t"."a'b" AS "c1" FROM (SELECT "api"."films"."info"->>$1 AS "a'b" FROM "api"."films" WHERE "api"."films"."info"->>$2 = $3) AS "_t"
$1 = a'b
$2 = x'); drop table y; --
$3 = 1
