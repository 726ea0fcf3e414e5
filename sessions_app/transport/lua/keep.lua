-- A worker says that it is alive: what it owns stays its own, and its capacity counts.
-- KEYS: offers, workers.  ARGV: group, worker, capacity, lease in ms, entries it owns...
-- Returns the entries that are not its own any more.
local offers, workers = unpack(KEYS)
local group, worker = ARGV[1], ARGV[2]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("HSET", workers, worker, string.format("%d:%d", ARGV[3], now + ARGV[4]))
local lost = {}
for i = 5, #ARGV do
  local pending = redis.pcall("XPENDING", offers, group, ARGV[i], ARGV[i], 1) -- an error if all is gone
  if pending[1] and pending[1][2] == worker then
    redis.call("XCLAIM", offers, group, worker, 0, ARGV[i], "JUSTID") -- it is idle since now
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
