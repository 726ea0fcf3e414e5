-- A worker says that it is alive: what it owns stays its own, and its capacity counts for its model sets.
-- KEYS: workers, offers of each of its model sets.
-- ARGV: group, worker, capacity, lease in ms, names of its sets, then for each session that it owns: number of
--       its offers among the KEYS, entry.
-- Returns the places, among the sessions, of those that are not its own any more.
local group, worker = ARGV[1], ARGV[2]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("HSET", KEYS[1], worker, string.format("%d:%d:%s", ARGV[3], now + ARGV[4], ARGV[5]))
local lost = {}
for i = 6, #ARGV, 2 do
  local offers, entry = KEYS[tonumber(ARGV[i])], ARGV[i + 1]
  local pending = redis.pcall("XPENDING", offers, group, entry, entry, 1) -- an error if all is gone
  if pending[1] and pending[1][2] == worker then
    redis.call("XCLAIM", offers, group, worker, 0, entry, "JUSTID") -- it is idle since now
  else
    lost[#lost + 1] = (i - 6) / 2
  end
end
return lost
