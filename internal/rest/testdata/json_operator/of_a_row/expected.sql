SELECT "_t"."tags" AS "c1" FROM (SELECT to_jsonb("api"."films"."tags")->$1::int AS "tags" FROM "api"."films" WHERE to_jsonb("api"."films"."tags")->>$2::int = $3) AS "_t"
$1 = +0
$2 = +0
$3 = classic
