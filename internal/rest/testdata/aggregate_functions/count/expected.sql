SELECT row_to_json("_t".*) FROM (SELECT count("api"."films".*) FROM "api"."films") AS "_t"
