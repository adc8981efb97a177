SELECT "_t".* FROM (SELECT "api"."films"."id", "api"."films"."title" FROM "api"."films") AS "_t"
