-- KEYS: key, its lease. ARGV: the token of the lease, the value, its milliseconds to live.
-- Returns 1 where the lease still held: neither an eviction nor a newer value has dropped it.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) -- first: a Redis that is full refuses, unless something was written before
redis.call('DEL', KEYS[2])
return 1
