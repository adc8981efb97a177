SELECT _c.n, _r.* FROM (SELECT (SELECT count(*) FROM (SELECT 1 FROM "api"."films") AS _s) AS n) AS _c LEFT JOIN (SELECT TRUE AS here, "_t".* FROM (SELECT "api"."films"."id", "api"."films"."title" FROM "api"."films" LIMIT $1) AS "_t") AS _r ON TRUE
$1 = 1
