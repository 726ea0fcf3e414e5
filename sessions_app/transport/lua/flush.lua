-- End the utterance where the log ends: the mark stands in the log behind the last sample, once.
-- KEYS: session, audio.  ARGV: sender.
-- Returns {"ok", position}, {"superseded"} or {"lost"}.
local session, log = unpack(KEYS)
local known = redis.call("HMGET", session, "sender", "end", "finished", "flushed")
if not known[2] then
  return {"lost"}
end
if known[1] ~= ARGV[1] then
  return {"superseded"}
end
if not known[3] and known[4] ~= known[2] then
  redis.call("XADD", log, string.format("%d-1", known[2]), "flush", "1")
  redis.call("HSET", session, "flushed", known[2])
end
return {"ok", tonumber(known[2])}
