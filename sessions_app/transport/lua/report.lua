-- How far recognition is. Audio that is durable is forgotten; the mark of the end is not.
-- KEYS: session, audio.  ARGV: worker, processed, durable.
-- Returns 1, or 0 if another worker owns the session.
local session, log = unpack(KEYS)
if redis.call("HGET", session, "owner") ~= ARGV[1] then
  return 0
end
redis.call("HSET", session, "processed", ARGV[2], "durable", ARGV[3])
redis.call("XTRIM", log, "MINID", string.format("%d-1", ARGV[3]))
return 1
