SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" ORDER BY "api"."films"."info"->>$1 DESC, "api"."films"."info"->$2->>$3 ASC NULLS FIRST) AS "_t"
$1 = length
$2 = crew
$3 = music
