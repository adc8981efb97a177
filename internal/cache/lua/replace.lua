-- KEYS: key, its lease. ARGV: the value to replace, the value, its milliseconds to live.
-- Returns 1 where the value to replace was still there. An eviction would have dropped it, and no fill brings it back.
local value = redis.pcall('GET', KEYS[1])
if value ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
