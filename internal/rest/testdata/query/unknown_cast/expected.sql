SELECT "_t"."id" AS "c1" FROM (SELECT CAST("api"."films"."id" AS text) FROM "api"."films") AS "_t"
