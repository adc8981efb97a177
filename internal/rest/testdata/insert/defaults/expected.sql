INSERT INTO "api"."films" SELECT  FROM (VALUES (1)) AS "pgrst_body"
