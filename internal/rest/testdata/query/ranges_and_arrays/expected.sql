SELECT row_to_json("_t".*) FROM (SELECT "api"."films".* FROM "api"."films" WHERE "api"."films"."tags" @> $1 AND "api"."films"."tags" <@ $2 AND "api"."films"."tags" && $3 AND "api"."films"."showing" << $4 AND "api"."films"."showing" >> $5 AND "api"."films"."showing" &< $6 AND "api"."films"."showing" &> $7 AND "api"."films"."showing" -|- $8) AS "_t"
$1 = {classic}
$2 = {classic,war}
$3 = {war,wave}
$4 = [2000-01-01,2001-01-01)
$5 = [1900-01-01,1901-01-01)
$6 = [1962-01-01,1963-01-01)
$7 = [1950-01-01,1951-01-01)
$8 = [1954-12-31,1955-01-01)
