-- Become the one sender of a session; a session nobody works on is offered to the workers that have its models.
-- KEYS: session, offers of its model set, workers.
-- ARGV: session number, sender, durable, may take over (1 or 0), lease in ms, silence in ms, model set, group,
--       prefix of the offers of all sets, number of the client's attempt or 0.
-- Returns {"ok", end, processed, durable, turn}, {"conflict", ms of the other's lease, its end}, {"finished", end},
-- {"superseded"} by a later attempt, {"overloaded"} or {"no models"}.
local session, offers, workers = unpack(KEYS)
local number, sender, durable, may_take_over = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == "1"
local model_set, group, prefix, attempt = ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10])
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Sessions that the workers with this set could take besides those that they have and those that wait for them;
-- nil if there are workers, but none with this set.
local function room()
  local owned, able, sets = {}, {}, {}
  local alive = redis.call("HGETALL", workers)
  for i = 1, #alive, 2 do
    local capacity, until_, names = string.match(alive[i + 1], "^(%d+):(%d+):?(.*)$")
    if tonumber(until_) > now and tonumber(capacity) > 0 then
      local has_it, own = false, {}
      for name in string.gmatch(names .. ",", "([^,]*),") do
        own[#own + 1] = name
        has_it = has_it or name == model_set
      end
      if has_it then
        able[alive[i]] = tonumber(capacity)
        for _, name in ipairs(own) do
          sets[name] = true
        end
      end
      owned[alive[i]] = 0
    end
  end
  local waiting = 0
  for name in pairs(sets) do
    local stream = prefix .. name
    waiting = waiting + redis.call("XLEN", stream)
    local pending = redis.pcall("XPENDING", stream, group) -- an error if there is no group yet
    for _, consumer in ipairs(not pending.err and pending[4] or {}) do
      if owned[consumer[1]] then
        owned[consumer[1]] = owned[consumer[1]] + tonumber(consumer[2])
        waiting = waiting - tonumber(consumer[2])
      end
    end
  end
  if next(owned) and not next(able) then
    return nil
  end
  local free = -waiting
  for worker, capacity in pairs(able) do
    free = free + math.max(0, capacity - owned[worker])
  end
  return free
end

local known = redis.call("HMGET", session, "end", "sender", "connected_until", "heard_at", "finished", "models", "attempt")
if known[5] then
  return {"finished", tonumber(known[1])}
end
if not known[1] then
  -- One that has audio was let in before, and is not turned away because Redis has forgotten it: its audio is
  -- kept until a worker has room.
  local left = tonumber(durable) > 0 and 1 or room()
  if not left then
    return {"no models"}
  elseif left <= 0 then
    return {"overloaded"}
  end
  redis.call("HSET", session, "end", durable, "processed", durable, "durable", durable, "left_at", now)
elseif known[2] and known[2] ~= sender and not may_take_over then
  local lease = tonumber(known[3]) - now
  if lease > 0 and now - tonumber(known[4]) < tonumber(ARGV[6]) then
    return {"conflict", lease, tonumber(known[3])}
  end
end
if attempt > 0 and attempt <= tonumber(known[7] or 0) then
  return {"superseded"}
end
local turn = redis.call("HINCRBY", session, "turn", 1)
redis.call("HSET", session, "sender", sender, "connected_until", now + ARGV[5], "heard_at", now, "attempt", attempt)
if not known[6] then
  local entry = redis.call("XADD", offers, "*", "session", number)
  redis.call("HSET", session, "entry", entry, "models", model_set)
end
-- A master that took another's place may know less than the database has: senders have dropped what is durable.
for _, name in ipairs({"end", "processed", "durable"}) do
  if tonumber(redis.call("HGET", session, name)) < tonumber(durable) then
    redis.call("HSET", session, name, durable)
  end
end
local log = redis.call("HMGET", session, "end", "processed", "durable")
return {"ok", tonumber(log[1]), tonumber(log[2]), tonumber(log[3]), turn}
