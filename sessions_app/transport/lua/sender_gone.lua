-- For how many ms a session has had no sender, and how far Redis thinks recognition is.
-- KEYS: session.
-- Returns {ms, processed}; ms is -1 if the session is not known.
local known = redis.call("HMGET", KEYS[1], "end", "sender", "connected_until", "left_at", "processed")
if not known[1] then
  return {-1, 0}
end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- A sender whose process died has not said goodbye: its lease ran out.
return {math.max(0, now - tonumber(known[2] and known[3] or known[4])), tonumber(known[5])}
