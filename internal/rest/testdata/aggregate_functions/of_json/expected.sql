SELECT row_to_json("_t".*) FROM (SELECT avg(CAST("api"."films"."info"->$1 AS integer)) FROM "api"."films") AS "_t"
$1 = length
