// Letters and digits of any script, and the signs that no shell reads anything into behind them.
const typable = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.:/%+=@-]*$/u;

/**
 * The names that every shell takes as they are. Ids of messages come from whoever can send one, and bash runs what stands in `$(...)` among the words
 * that it is offered: such a name has to be typed.
 */
export function typableNames(names: readonly string[]): readonly string[] {
  return names.filter((name) => typable.test(name));
}
