-- A worker has got this entry of the offers: the session is its own. 0 if there is no such session any more.
-- KEYS: session, offers.  ARGV: group, worker, entry.
local session, offers = unpack(KEYS)
if redis.call("HGET", session, "entry") ~= ARGV[3] then
  redis.call("XACK", offers, ARGV[1], ARGV[3])
  redis.call("XDEL", offers, ARGV[3])
  return 0
end
redis.call("HSET", session, "owner", ARGV[2])
return 1
