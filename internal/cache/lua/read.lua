-- KEYS: key, its lease. ARGV: a token, how many milliseconds the lease lasts.
-- Returns the value, or false and whether the lease of the missing key was taken.
local value = redis.pcall('GET', KEYS[1])
if type(value) == 'string' then
  return {value, 0}
end
if value then -- an error: what is there is no string, and so not ours
  redis.call('DEL', KEYS[1])
end
-- A Redis that is full or a replica gives no lease, and can still be read.
local taken = redis.pcall('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
return {false, (taken and taken.ok) and 1 or 0}
