/** What lies where in a queue. Messages are byte strings: one character for each byte. */
export interface QueueState {
  /** By list, each with its next message first. */
  readonly ready: string[][];
  /** By consumer and list, as `id:list`. What landed first comes first. */
  readonly landed: Map<string, string[]>;
  /** By consumer, then by tag. */
  readonly held: Map<string, Map<string, string>>;
  /** Tags by consumer. */
  readonly started: Map<string, Set<string>>;
  /** By number. */
  readonly delayed: Map<string, { readonly list: number; readonly text: string }>;
  /** By entry. */
  readonly dead: Map<string, { readonly list: number; readonly reason: string; readonly text: string }>;
  /** By the hash of a message. */
  readonly crashes: Map<string, number>;
  /** How many of each there have ever been. */
  readonly counters: { tag: number; delayed: number; dead: number };
  paused: boolean;
  /** Sequence numbers by producer. */
  readonly producers: Map<string, number>;
  /** Keys in use. */
  readonly once: Set<string>;
  /** Keys that are none of these. */
  readonly strangers: string[];
}

export function emptyState(): QueueState {
  return {
    ready: [[], [], [], []],
    landed: new Map(),
    held: new Map(),
    started: new Map(),
    delayed: new Map(),
    dead: new Map(),
    crashes: new Map(),
    counters: { tag: 0, delayed: 0, dead: 0 },
    paused: false,
    producers: new Map(),
    once: new Set(),
    strangers: [],
  };
}

/** Every message that lies somewhere, as often as it does. */
export function allTexts({ ready, landed, held, delayed, dead }: QueueState): string[] {
  const inHands = [...held.values()].flatMap((tags) => [...tags.values()]);
  const aside = [...delayed.values(), ...dead.values()].map(({ text }) => text);
  return [...ready.flat(), ...[...landed.values()].flat(), ...inHands, ...aside];
}
