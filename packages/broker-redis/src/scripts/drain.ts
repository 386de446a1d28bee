/**
 * Lua that gives back what the consumer `id` held: `drain(id, counts, budget)`, for scripts whose KEYS 1 to 4 are the lists and 5 to 7
 * crashes, delayed and meta, and whose `own` is the beginning of the consumers' keys. Answers how many messages it moved.
 * The keys of a consumer are not declared, because nobody knows beforehand whose they are; they are in the same slot.
 *
 * The first death counts for all that was held. From then on only what was started counts, and it waits longer each time, so that a message
 * that kills its workers does not take down one after the other. What only landed was never in anybody's hands.
 */
export const drain = `local function drain(id, counts, budget, crashDelay)
  local held, started, landing, moved = own .. 'held:' .. id, own .. 'started:' .. id, own .. 'landing:' .. id .. ':', 0
  if redis.call('EXISTS', held, started, landing .. 0, landing .. 1, landing .. 2, landing .. 3) == 0 then return 0 end
  local tags = redis.call('HKEYS', held)
  redis.call('HLEN', started)
  for list = 0, 3 do redis.call('LLEN', landing .. list) end
  for list = 0, 3 do
    local landed = redis.call('RPOP', landing .. list, 100) or {}
    for i = #landed, 1, -1 do redis.call('RPUSH', KEYS[1 + list], landed[i]) end
    moved = moved + #landed
  end
  table.sort(tags, function(one, other) return tonumber(one:match('^%d+')) > tonumber(other:match('^%d+')) end)
  for _, tag in ipairs(tags) do
    if moved >= budget then return moved end
    local message, list = redis.call('HGET', held, tag), tonumber(tag:match(':(%d)$')) or 0
    local suspect, crashes, isStarted = redis.sha1hex(message), 0, redis.call('HEXISTS', started, tag) == 1
    redis.call('HDEL', held, tag)
    if counts then
      crashes = tonumber(redis.call('HGET', KEYS[5], suspect) or '0')
      if crashes == 0 or isStarted then
        crashes = redis.call('HINCRBY', KEYS[5], suspect, 1)
        redis.call('PEXPIRE', KEYS[5], 259200000)
      end
    end
    if crashes > 1 and isStarted then
      local seq = redis.call('HINCRBY', KEYS[7], 'delayed', 1)
      local wait = crashDelay * 2 ^ math.min(crashes - 2, 17)
      redis.call('ZADD', KEYS[6], now + wait, string.format('%016.0f', seq) .. list .. message)
    else
      redis.call('RPUSH', KEYS[1 + list], message)
    end
    moved = moved + 1
  end
  redis.call('DEL', started)
  return moved
end
`;
