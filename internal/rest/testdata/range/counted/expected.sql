SELECT _c.n, _r.here, _r.body FROM (SELECT (SELECT count(*) FROM (SELECT 1 FROM "api"."films") AS _s) AS n) AS _c LEFT JOIN (SELECT TRUE AS here, row_to_json("_t".*) AS body FROM (SELECT "api"."films".* FROM "api"."films" LIMIT $1) AS "_t") AS _r ON TRUE
$1 = 2
