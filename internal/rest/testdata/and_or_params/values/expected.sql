SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE ("api"."films"."tags" @> $1 OR "api"."films"."id" = ANY ($2) OR "api"."films"."title" LIKE ANY($3) OR "api"."films"."info"->>$4 = $5)) AS "_t"
$1 = {classic,war}
$2 = {"1","2"}
$3 = {D%,S%}
$4 = length
$5 = 96
