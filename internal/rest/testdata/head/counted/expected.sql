SELECT (SELECT count("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" LIMIT $1) AS "_t"), (SELECT count(*) FROM (SELECT 1 FROM "api"."films") AS _s)
$1 = 2
