SELECT "_t"."shade" AS "c1" FROM (SELECT api.color_json("api"."palettes"."shade") AS "shade" FROM "api"."palettes" WHERE "api"."palettes"."shade" = api.color_parse($1) ORDER BY "api"."palettes"."shade") AS "_t"
$1 = #daa520
