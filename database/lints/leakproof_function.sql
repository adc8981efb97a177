-- title: A function is trusted with rows before the policies are asked
-- level: error
-- scope: any
-- kind: function
-- hint: ALTER FUNCTION … NOT LEAKPROOF, unless it has no side effect at all, errors included.
select f.name as object, 'LEAKPROOF: conditions with it may run before row-level security' as detail
from own_function f
where f.proleakproof
