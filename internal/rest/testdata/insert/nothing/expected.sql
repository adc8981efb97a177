INSERT INTO "api"."films" SELECT  FROM json_array_elements($1::json) AS "pgrst_body"
$1 = []
