-- KEYS: key, its lease. ARGV: the token of the lease.
-- Gives the lease back, for others to fill the key.
if redis.call('GET', KEYS[2]) == ARGV[1] then
  return redis.call('DEL', KEYS[2])
end
return 0
