SELECT (SELECT count("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."id" > $1) AS "_t")
$1 = 1
