SELECT "_t"."full_title" AS "c1" FROM (SELECT "api"."films"."full_title" FROM "api"."films" WHERE "api"."films"."full_title" = $1 ORDER BY "api"."films"."full_title") AS "_t"
$1 = Dune (2021)
