-- Make a session known that needs a worker.
-- KEYS: session, offers of its model set.  ARGV: session number, durable, model set.
local session, offers = unpack(KEYS)
if redis.call("HEXISTS", session, "models") == 1 then
  return
end
if redis.call("HEXISTS", session, "end") == 0 then
  local time = redis.call("TIME")
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call("HSET", session, "end", ARGV[2], "processed", ARGV[2], "durable", ARGV[2], "left_at", now)
end
local entry = redis.call("XADD", offers, "*", "session", ARGV[1])
redis.call("HSET", session, "entry", entry, "models", ARGV[3])
