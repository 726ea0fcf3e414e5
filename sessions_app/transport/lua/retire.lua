-- A worker takes no more sessions. Its name is forgotten, unless sessions still go by it.
-- KEYS: offers, workers.  ARGV: group, worker.
redis.call("HDEL", KEYS[2], ARGV[2])
local pending = redis.call("XPENDING", KEYS[1], ARGV[1], "-", "+", 1, ARGV[2])
if not pending[1] then
  redis.call("XGROUP", "DELCONSUMER", KEYS[1], ARGV[1], ARGV[2])
end
