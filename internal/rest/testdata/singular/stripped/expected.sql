SELECT json_strip_nulls(row_to_json("_t".*)) FROM (SELECT "api"."films"."id", "api"."films"."rating" FROM "api"."films" WHERE "api"."films"."id" = $1) AS "_t"
$1 = 3
