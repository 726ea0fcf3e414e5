-- Make a session known that needs a worker.
-- KEYS: session, offers.  ARGV: session number, durable.
local session, offers = unpack(KEYS)
if redis.call("HEXISTS", session, "entry") == 1 then
  return
end
if redis.call("HEXISTS", session, "end") == 0 then
  local time = redis.call("TIME")
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call("HSET", session, "end", ARGV[2], "processed", ARGV[2], "durable", ARGV[2], "left_at", now)
end
redis.call("HSET", session, "entry", redis.call("XADD", offers, "*", "session", ARGV[1]))
