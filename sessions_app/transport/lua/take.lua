-- A worker takes a session: one whose worker is dead or has handed it over, or else, if it has room, a new one.
-- KEYS: offers of each of its model sets.
-- ARGV: group, worker, ms after which a worker counts as dead, has room (1 or 0).
-- Returns {number of the offers among the KEYS, entry, session number}, or nothing.
local group, worker = ARGV[1], ARGV[2]
for number, offers in ipairs(KEYS) do
  local cursor = "0-0"
  repeat
    local answer = redis.call("XAUTOCLAIM", offers, group, worker, ARGV[3], cursor, "COUNT", 1)
    cursor = answer[1]
    local orphan = answer[2][1]
    if orphan then
      return {number, orphan[1], orphan[2][2]}
    end
  until cursor == "0-0"
end
if ARGV[4] == "1" then
  for number, offers in ipairs(KEYS) do
    local found = redis.call("XREADGROUP", "GROUP", group, worker, "COUNT", 1, "STREAMS", offers, ">")
    if found then
      local offer = found[1][2][1]
      return {number, offer[1], offer[2][2]}
    end
  end
end
