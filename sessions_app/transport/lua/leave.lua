-- The sender's socket is gone.
-- KEYS: session.  ARGV: sender.
if redis.call("HGET", KEYS[1], "sender") == ARGV[1] then
  local time = redis.call("TIME")
  redis.call("HDEL", KEYS[1], "sender")
  redis.call("HSET", KEYS[1], "left_at", time[1] * 1000 + math.floor(time[2] / 1000))
end
