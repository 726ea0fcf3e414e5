-- End the utterance where the log ends: the mark stands in the log behind the last sample, once.
-- KEYS: session, audio.  ARGV: sender, its turn, the end of what it appended.
-- Returns {"ok", position}, {"superseded"}, {"lost"} or {"behind", end}: as append.
local session, log = unpack(KEYS)
local known = redis.call("HMGET", session, "sender", "end", "finished", "flushed", "turn")
if not known[2] then
  return {"lost"}
end
if known[1] ~= ARGV[1] then
  return {tonumber(known[5] or 0) < tonumber(ARGV[2]) and "lost" or "superseded"}
end
if not known[3] and tonumber(known[2]) < tonumber(ARGV[3]) then
  return {"behind", tonumber(known[2])}
end
if not known[3] and known[4] ~= known[2] then
  redis.call("XADD", log, string.format("%d-1", known[2]), "flush", "1")
  redis.call("HSET", session, "flushed", known[2])
end
return {"ok", tonumber(known[2])}
