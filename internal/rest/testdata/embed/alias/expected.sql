SELECT "_t"."title" AS "c1", "_t"."by" AS "c2" FROM (SELECT "api"."films"."title", row_to_json("embed_1".*) AS "by" FROM "api"."films" LEFT JOIN LATERAL (SELECT "directors_1"."name" AS "who" FROM "api"."directors" AS "directors_1" WHERE "directors_1"."name" = $1 AND "directors_1"."id" = "api"."films"."director_id") AS "embed_1" ON TRUE) AS "_t"
$1 = Varda
