SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."title" LIKE ANY($1) AND "api"."films"."id" > ALL($2) AND "api"."films"."year" = ANY($3)) AS "_t"
$1 = {Dune%,Seven%}
$2 = {1,2}
$3 = {1954,1962}
