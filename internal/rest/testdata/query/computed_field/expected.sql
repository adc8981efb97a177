SELECT row_to_json("_t".*) FROM (SELECT "api"."films"."full_title" FROM "api"."films" WHERE "api"."films"."full_title" = $1 ORDER BY "api"."films"."full_title") AS "_t"
$1 = Dune (2021)
