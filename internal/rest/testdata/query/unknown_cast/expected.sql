SELECT row_to_json("_t".*) FROM (SELECT CAST("api"."films"."id" AS text) FROM "api"."films") AS "_t"
