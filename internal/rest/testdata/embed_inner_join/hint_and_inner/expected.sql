SELECT "_t"."id" AS "c1", "_t"."films" AS "c2" FROM (SELECT "api"."screenings"."id", row_to_json("embed_1".*) AS "films" FROM "api"."screenings" INNER JOIN LATERAL (SELECT "films_1"."title" FROM "api"."films" AS "films_1" WHERE "films_1"."id" = $1 AND "films_1"."id" = "api"."screenings"."main_id") AS "embed_1" ON TRUE) AS "_t"
$1 = 1
