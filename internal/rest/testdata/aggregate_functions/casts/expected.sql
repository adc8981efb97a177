SELECT row_to_json("_t".*) FROM (SELECT CAST(sum(CAST("api"."films"."budget" AS integer)) AS text) AS "total" FROM "api"."films") AS "_t"
