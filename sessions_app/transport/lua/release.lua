-- A session has ended: forget it.
-- KEYS: session, audio, offers.  ARGV: group, worker.
local session, log, offers = unpack(KEYS)
local known = redis.call("HMGET", session, "owner", "entry")
if known[1] == ARGV[2] then
  redis.call("XACK", offers, ARGV[1], known[2])
  redis.call("XDEL", offers, known[2])
  redis.call("DEL", session, log)
end
