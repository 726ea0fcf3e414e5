-- Append audio to a session's log, if this sender still has the right to; without audio, only stay its sender.
-- KEYS: session, audio.
-- ARGV: sender, its turn, position of the first sample, number of samples, lease in ms, audio.
-- Returns {"ok", end, processed, durable, has the end been said (1 or 0)}, {"superseded"}, {"lost"}, or
-- {"behind", end} if the log has forgotten what this very sender appended: it ended further on.
local session, log = unpack(KEYS)
local known = redis.call("HMGET", session, "sender", "end", "processed", "durable", "finished", "turn")
if not known[2] then
  return {"lost"}
end
if known[1] ~= ARGV[1] then
  -- If its turn is still to come here, Redis has forgotten this sender: nobody has taken its place.
  return {tonumber(known[6] or 0) < tonumber(ARGV[2]) and "lost" or "superseded"}
end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local start, count, stop = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(known[2])
if count > 0 and stop == start and not known[5] then
  stop = start + count
  redis.call("XADD", log, string.format("%d-0", stop), "audio", ARGV[6])
  redis.call("HSET", session, "end", stop, "heard_at", now)
elseif stop < start and not known[5] then
  return {"behind", stop}
elseif stop ~= start + count then
  return {"lost"} -- and equal, if the answer to the same request was lost on its way
end
redis.call("HSET", session, "connected_until", now + ARGV[5])
return {"ok", stop, tonumber(known[3]), tonumber(known[4]), known[5] and 1 or 0}
