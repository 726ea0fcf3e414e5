-- A worker hands a session over: its entry becomes nobody's, and so old that whoever looks takes it.
-- KEYS: session, offers.  ARGV: group, worker, entry, idle time in ms.
local session, offers = unpack(KEYS)
local pending = redis.call("XPENDING", offers, ARGV[1], ARGV[3], ARGV[3], 1)
if pending[1] and pending[1][2] == ARGV[2] then
  redis.call("XCLAIM", offers, ARGV[1], "nobody", 0, ARGV[3], "IDLE", ARGV[4], "JUSTID")
  redis.call("HDEL", session, "owner")
end
