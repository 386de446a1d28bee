/** The arguments of a task: as many bytes as JSON as were asked for, whatever the numbers are. */
export interface Payload {
  readonly id: number;
  /** Microseconds of the machine's monotonic clock, which all its processes share; 0 where nobody asks how long it took. */
  readonly sentAtUs: number;
  readonly text: string;
}

/** Added to the numbers, so that all have the same number of digits. */
const idBase = 1_000_000_000;
const timeBase = 100_000_000_000_000;
const defaultBytes = 100;
const text = "a hundred bytes with both of the numbers, all.";

/** Makes the arguments of the task of that place in a row. */
export type PayloadMaker = (index: number, sentAtUs?: number) => Payload;

/** @param argumentBytes of each as JSON; at least 100, which is the default */
export function payloadMaker(argumentBytes: number = defaultBytes): PayloadMaker {
  const length = text.length + argumentBytes - defaultBytes;
  const sized = text.repeat(Math.ceil(length / text.length)).slice(0, length);
  return (index: number, sentAtUs = 0): Payload => ({ id: idBase + index, sentAtUs: timeBase + sentAtUs, text: sized });
}

/** Of the default size. */
export const payload: PayloadMaker = payloadMaker();

/** How long ago it was sent. Microseconds. */
export function ageUs({ sentAtUs }: Payload): number {
  return nowUs() - (sentAtUs - timeBase);
}

export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return Math.round(seconds * 1e6 + nanoseconds / 1e3);
}
