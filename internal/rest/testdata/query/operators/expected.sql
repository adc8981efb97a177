SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."id" > $1 AND "api"."films"."year" <= $2 AND "api"."films"."title" <> $3 AND "api"."films"."released" IS TRUE AND "api"."films"."rating" = ANY ($4) AND "api"."films"."director_id" IS DISTINCT FROM $5) AS "_t"
$1 = 1
$2 = 2021
$3 = Yojimbo
$4 = {"G","PG"}
$5 = 2
