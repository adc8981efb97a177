What validating asks of the database, as an operator.

-- name: Validate
select v.table_name, v.column_name, v.expected_type, coalesce(v.actual_type, ''), v.status, coalesce(v.issue, '')
from public.validate_schema() v;
