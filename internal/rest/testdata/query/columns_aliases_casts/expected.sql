SELECT row_to_json("_t".*) FROM (SELECT "api"."films"."id", "api"."films"."title" AS "called", CAST("api"."films"."year" AS text), "api"."films"."rating" FROM "api"."films") AS "_t"
