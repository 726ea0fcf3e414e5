-- For how many ms a session has had no sender; -1 if the session is not known.
-- KEYS: session.
local known = redis.call("HMGET", KEYS[1], "end", "sender", "connected_until", "left_at")
if not known[1] then
  return -1
end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- A sender whose process died has not said goodbye: its lease ran out.
return math.max(0, now - tonumber(known[2] and known[3] or known[4]))
