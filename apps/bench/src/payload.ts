/** The arguments of every task: 100 bytes as JSON, whatever the numbers are. */
export interface Payload {
  readonly id: number;
  /** Microseconds of the machine's monotonic clock, which all its processes share; 0 where nobody asks how long it took. */
  readonly sentAtUs: number;
  readonly text: string;
}

/** Added to the numbers, so that all have the same number of digits. */
const idBase = 1_000_000_000;
const timeBase = 100_000_000_000_000;
const text = "a hundred bytes with both of the numbers, all.";

export function payload(index: number, sentAtUs = 0): Payload {
  return { id: idBase + index, sentAtUs: timeBase + sentAtUs, text };
}

/** How long ago it was sent. Microseconds. */
export function ageUs({ sentAtUs }: Payload): number {
  return nowUs() - (sentAtUs - timeBase);
}

export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return Math.round(seconds * 1e6 + nanoseconds / 1e3);
}
