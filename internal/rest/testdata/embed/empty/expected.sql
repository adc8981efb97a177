SELECT "_t"."title" AS "c1" FROM (SELECT "api"."films"."title" FROM "api"."films" LEFT JOIN LATERAL (SELECT "directors_1".* FROM "api"."directors" AS "directors_1" WHERE "directors_1"."name" = $1 AND "directors_1"."id" = "api"."films"."director_id") AS "embed_1" ON TRUE) AS "_t"
$1 = Varda
