SELECT "_t"."title" AS "c1", "_t"."directors" AS "c2" FROM (SELECT "api"."films"."title", row_to_json("embed_1".*) AS "directors" FROM "api"."films" INNER JOIN LATERAL (SELECT "directors_1"."name" FROM "api"."directors" AS "directors_1" WHERE "directors_1"."name" = $1 AND "directors_1"."id" = "api"."films"."director_id") AS "embed_1" ON TRUE) AS "_t"
$1 = Varda
