SELECT NULL FROM "api"."films" WHERE false
