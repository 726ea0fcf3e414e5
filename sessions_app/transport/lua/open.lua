-- Become the one sender of a session; a session nobody works on is offered to the workers.
-- KEYS: session, offers, workers.
-- ARGV: session number, sender, durable, may take over (1 or 0), lease in ms, silence in ms.
-- Returns {"ok", end, processed, durable}, {"conflict", ms of the other's lease, its end}, {"finished", end} or {"overloaded"}.
local session, offers, workers = unpack(KEYS)
local number, sender, durable, may_take_over = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == "1"
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local known = redis.call("HMGET", session, "end", "sender", "connected_until", "heard_at", "finished", "entry")
if known[5] then
  return {"finished", tonumber(known[1])}
end
if not known[1] then
  local room = 0
  for _, worker in ipairs(redis.call("HVALS", workers)) do
    local capacity, until_ = string.match(worker, "(%d+):(%d+)")
    if tonumber(until_) > now then
      room = room + tonumber(capacity)
    end
  end
  if redis.call("XLEN", offers) >= room then
    return {"overloaded"}
  end
  redis.call("HSET", session, "end", durable, "processed", durable, "durable", durable, "left_at", now)
elseif known[2] and known[2] ~= sender and not may_take_over then
  local lease = tonumber(known[3]) - now
  if lease > 0 and now - tonumber(known[4]) < tonumber(ARGV[6]) then
    return {"conflict", lease, tonumber(known[3])}
  end
end
redis.call("HSET", session, "sender", sender, "connected_until", now + ARGV[5], "heard_at", now)
if not known[6] then
  redis.call("HSET", session, "entry", redis.call("XADD", offers, "*", "session", number))
end
local log = redis.call("HMGET", session, "end", "processed", "durable")
return {"ok", tonumber(log[1]), tonumber(log[2]), tonumber(log[3])}
