SELECT "_t"."id" AS "c1", "_t"."name" AS "c2" FROM (SELECT "other"."things".* FROM "other"."things") AS "_t"
