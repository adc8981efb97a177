What scenarios change of the tenants that internal/population makes.

-- name: Rules
update public.feature_flags f set
  variants = '{"on": true, "off": false}', default_variant = 'off',
  targeting = '{"if": [{"and": [{"ends_with": [{"var": "email"}, "@example.test"]}, {"==": [{"var": "tenant.type"}, "digital_health"]}]},
    {"fractional": [["on", 50], ["off", 50]]}, "off"]}'
where f.flag_key ~ '[05]$' and f.flag_key > 'flag_010';
