SELECT row_to_json("_t".*) FROM (SELECT "other"."things".* FROM "other"."things") AS "_t"
