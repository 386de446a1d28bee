import {
  BrokerError,
  isJsonObject,
  tryParseJson,
  type JsonArray,
  type JsonValue,
  type StoredSchedule,
} from "@q/core/broker";

/** Which message of a tick counts, should another one of it turn up. */
export interface CountedCopy {
  /** Epoch milliseconds. */
  readonly at: number;
  /** What its header says, empty for one that has none. */
  readonly copy: string;
}

export interface KeptSchedule extends StoredSchedule {
  /** Of the ticks that may have been sent before by a keeper that died, oldest first. */
  readonly counted: readonly CountedCopy[];
}

/** All that is remembered of schedules, as one message holds it. */
export interface ScheduleState {
  /** Counts the changes: of two states the one with the higher number is newer. */
  readonly version: number;
  /** Where it began: states of one origin are versions of the same. */
  readonly origin: string;
  readonly schedules: ReadonlyMap<string, KeptSchedule>;
  /** Ids of the last changes, oldest first: one that is asked for again was made. */
  readonly changes: readonly string[];
}

/** Nothing is known, and nothing stored. */
export function noState(origin: string): ScheduleState {
  return { version: 0, origin, schedules: new Map(), changes: [] };
}

/** Every tick stores all of it anew. Bytes. */
const largestState = 1024 * 1024;
const format = 1;
/** More than can be under way when its keeper dies. */
const mostChanges = 100;
/** As many keepers may die while a message of the first one waits. */
const mostCounted = 10;
const longestNameBytes = 128;

/** The state with other facts about one schedule, and the next version. */
export function withSchedule(
  state: ScheduleState,
  name: string,
  facts: Partial<Omit<KeptSchedule, "name">>,
): ScheduleState {
  const known = state.schedules.get(name) ?? { name, lastTick: null, paused: false, entry: null, counted: [] };
  return { ...next(state), schedules: new Map(state.schedules).set(name, { ...known, ...facts }) };
}

/** The state in which a tick was fired. @param copy of its message, when another one of it may turn up; otherwise `null` */
export function withTick(state: ScheduleState, name: string, at: number, copy: string | null): ScheduleState {
  const counted = state.schedules.get(name)?.counted ?? [];
  const all = copy === null ? counted : [...counted, { at, copy }].slice(-mostCounted);
  return withSchedule(state, name, { lastTick: at, counted: all });
}

export function withoutSchedule(state: ScheduleState, name: string): ScheduleState {
  const schedules = new Map(state.schedules);
  schedules.delete(name);
  return { ...next(state), schedules };
}

/** Remembers that a change was made. */
export function withChange(state: ScheduleState, id: string): ScheduleState {
  return { ...state, changes: [...state.changes, id].slice(-mostChanges) };
}

/** The same, stored anew. */
export function next(state: ScheduleState): ScheduleState {
  return { ...state, version: state.version + 1 };
}

/**
 * What states that were found side by side come to: the newest. No tick that one of them has recorded comes again, and what only one of another origin
 * knows is kept. Takes at least one.
 */
export function merged(states: readonly [ScheduleState, ...ScheduleState[]]): ScheduleState {
  const [newest, ...older] = states.toSorted((a, b) => b.version - a.version) as [ScheduleState, ...ScheduleState[]]; // as many
  const schedules = new Map(newest.schedules);
  for (const { origin, schedules: others } of older) {
    for (const schedule of others.values()) {
      const { name, lastTick } = schedule;
      const known = schedules.get(name);
      if (known === undefined) {
        if (origin !== newest.origin) schedules.set(name, schedule);
      } else if (lastTick !== null && lastTick > (known.lastTick ?? -Infinity))
        schedules.set(name, { ...known, lastTick });
    }
  }
  return { ...newest, schedules };
}

/** In order of name. */
export function listOf({ schedules }: ScheduleState): readonly KeptSchedule[] {
  return [...schedules.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** @throws BrokerError `Q1028` when it has grown too large */
export function encodeState(state: ScheduleState): Buffer {
  const { version, origin, changes } = state;
  const schedules = [...state.schedules.values()].map(rowOf);
  const content = Buffer.from(JSON.stringify({ format, version, origin, schedules, changes }));
  if (content.length <= largestState) return content;
  throw new BrokerError(
    "Q1028",
    `expected all schedules together to take at most ${largestState} bytes, got ${content.length}`,
    { hint: "remove some, or give them smaller arguments: q schedule list shows them" },
  );
}

/** A call's own levels, and what is around it. */
const deepestState = 72;

/** A state from bytes that may be anybody's; otherwise why they are none, for people. */
export function decodeState(content: Buffer): ScheduleState | string {
  if (content.length > largestState) return `it has ${content.length} bytes, more than q ever writes`;
  const value = tryParseJson(content.toString(), { maxDepth: deepestState });
  if (value === undefined) return "it is not JSON";
  if (!isJsonObject(value)) return "it is not a JSON object";
  if (value["format"] !== format) return "it has another format: a newer version of q wrote it, or another program";
  const { version, origin, schedules: rows, changes } = value;
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 1) return "its version is no number";
  const schedules = schedulesOf(rows);
  if (
    schedules === undefined ||
    typeof origin !== "string" ||
    !Array.isArray(changes) ||
    !changes.every((id) => typeof id === "string")
  )
    return "what it says of schedules cannot be read";
  return { version, schedules: new Map(schedules.map((schedule) => [schedule.name, schedule])), origin, changes };
}

/** Name, last tick, paused, entry; then what is counted, two values each. */
export function rowOf({ name, lastTick, paused, entry, counted }: KeptSchedule): JsonArray {
  return [name, lastTick, paused, entry, ...counted.flatMap(({ at, copy }) => [at, copy])];
}

/** The schedules in rows; `undefined` when one of them is none. */
export function schedulesOf(rows: JsonValue | undefined): readonly KeptSchedule[] | undefined {
  if (!Array.isArray(rows)) return undefined;
  const schedules = (rows as JsonArray).flatMap((row) => scheduleOf(row) ?? []);
  return schedules.length === rows.length ? schedules : undefined;
}

export function isScheduleName(name: JsonValue | undefined): name is string {
  return typeof name === "string" && name !== "" && Buffer.byteLength(name) <= longestNameBytes;
}

function scheduleOf(row: JsonValue): KeptSchedule | undefined {
  if (!Array.isArray(row)) return undefined;
  const [name, lastTick, paused, entry, ...rest] = row as JsonArray;
  if (!isScheduleName(name) || typeof paused !== "boolean") return undefined;
  if (lastTick !== null && (typeof lastTick !== "number" || !Number.isSafeInteger(lastTick))) return undefined;
  if (entry !== null && !isJsonObject(entry)) return undefined;
  const counted = countedOf(rest);
  return counted === undefined ? undefined : { name, lastTick, paused, entry, counted };
}

function countedOf(values: readonly JsonValue[]): readonly CountedCopy[] | undefined {
  const counted: CountedCopy[] = [];
  for (let index = 0; index < values.length; index += 2) {
    const [at, copy] = values.slice(index);
    if (typeof at !== "number" || !Number.isSafeInteger(at) || typeof copy !== "string") return undefined;
    counted.push({ at, copy });
  }
  return counted;
}
