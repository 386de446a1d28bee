/**
 * Asks one after the other, each for its share, until `max` are taken or nobody has more.
 * @param take takes at most `limit` from one of them and answers how many there were; fewer mean that it has no more
 */
export function takeInTurns<T>(turns: readonly T[], max: number, take: (turn: T, limit: number) => number): void {
  let left = max;
  let asked = turns;
  while (asked.length > 0 && left > 0) {
    const share = Math.max(1, Math.floor(left / asked.length));
    const withMore: T[] = [];
    for (const turn of asked) {
      const limit = Math.min(share, left);
      if (limit === 0) break;
      const taken = take(turn, limit);
      left -= taken;
      if (taken === limit) withMore.push(turn);
    }
    asked = withMore;
  }
}
