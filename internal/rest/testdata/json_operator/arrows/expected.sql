SELECT row_to_json("_t".*) FROM (SELECT "api"."films"."info"->$1->>$2 AS "music", "api"."films"."info"->$3->$4::int AS "prizes", "api"."films"."info"->$5->$6::int AS "prizes", "api"."films"."raw"->$7 AS "k" FROM "api"."films") AS "_t"
$1 = crew
$2 = music
$3 = prizes
$4 = +0
$5 = prizes
$6 = -1
$7 = k
