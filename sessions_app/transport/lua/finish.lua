-- Say that no audio follows: the mark stands in the log behind the last sample.
-- KEYS: session, audio.  ARGV: sender.
-- Returns {"ok"}, {"superseded"} or {"lost"}.
local session, log = unpack(KEYS)
local known = redis.call("HMGET", session, "sender", "end", "finished")
if not known[2] then
  return {"lost"}
end
if known[1] ~= ARGV[1] then
  return {"superseded"}
end
if not known[3] then
  redis.call("XADD", log, string.format("%d-2", known[2]), "end", "1")
  redis.call("HSET", session, "finished", "1")
end
return {"ok"}
