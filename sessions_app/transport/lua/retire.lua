-- A worker takes no more sessions. Its name is forgotten, unless sessions still go by it.
-- KEYS: workers, offers of each of its model sets.  ARGV: group, worker.
redis.call("HDEL", KEYS[1], ARGV[2])
for i = 2, #KEYS do
  local pending = redis.call("XPENDING", KEYS[i], ARGV[1], "-", "+", 1, ARGV[2])
  if not pending[1] then
    redis.call("XGROUP", "DELCONSUMER", KEYS[i], ARGV[1], ARGV[2])
  end
end
