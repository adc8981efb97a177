SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."title" = ANY ($1)) AS "_t"
$1 = {"Cleo from 5 to 7","a,b","say \"hi\"","plain"}
