SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."info"->>$1 > $2 AND "api"."films"."info"->$3->>$4 = $5 AND "api"."films"."info"->$6->>$7::int = $8) AS "_t"
$1 = length
$2 = 100
$3 = crew
$4 = music
$5 = Sato
$6 = prizes
$7 = +0
$8 = lion
