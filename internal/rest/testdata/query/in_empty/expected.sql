SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."id" = ANY ('{}')) AS "_t"
