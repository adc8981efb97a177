SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films") AS "_t"
