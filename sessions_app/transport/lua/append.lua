-- Append audio to a session's log, if this sender still has the right to; without audio, only stay its sender.
-- KEYS: session, audio.
-- ARGV: sender, position of the first sample, number of samples, lease in ms, audio.
-- Returns {"ok", end, processed, durable}, {"superseded"} or {"lost"}.
local session, log = unpack(KEYS)
local known = redis.call("HMGET", session, "sender", "end", "processed", "durable", "finished")
if not known[2] then
  return {"lost"}
end
if known[1] ~= ARGV[1] then
  return {"superseded"}
end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local start, count, stop = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(known[2])
if count > 0 and stop == start and not known[5] then
  stop = start + count
  redis.call("XADD", log, string.format("%d-0", stop), "audio", ARGV[5])
  redis.call("HSET", session, "end", stop, "heard_at", now)
elseif stop ~= start + count then
  return {"lost"} -- and equal, if the answer to the same request was lost on its way
end
redis.call("HSET", session, "connected_until", now + ARGV[4])
return {"ok", stop, tonumber(known[3]), tonumber(known[4])}
