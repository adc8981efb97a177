SELECT row_to_json("_t".*) FROM (SELECT "api"."palettes"."id", "api"."palettes"."name", api.color_json("api"."palettes"."shade") AS "shade" FROM "api"."palettes") AS "_t"
