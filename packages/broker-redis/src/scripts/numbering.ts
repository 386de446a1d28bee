/**
 * Lua: `numbered(meta, count, beyond)` takes that many fences and answers the last one. All are beyond those that the consumer has seen: a Redis that
 * came back with older data counts some again, and who ended the older message would end the newer one.
 */
export const numbering = `local function numbered(meta, count, beyond)
  local last = redis.call('HINCRBY', meta, 'tag', count)
  local behind = beyond - (last - count)
  return behind > 0 and redis.call('HINCRBY', meta, 'tag', behind) or last
end
`;
