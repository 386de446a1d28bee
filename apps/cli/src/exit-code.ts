/** What the process says with its exit code. The README lists them for users. */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  brokerAway: 3,
  notFound: 4,
  timedOut: 5,
  refused: 6,
  bug: 70,
} as const;

const byCode: Readonly<Record<string, number>> = {
  Q1001: exitCode.brokerAway,
  Q1002: exitCode.brokerAway,
  Q1004: exitCode.usage,
  Q1005: exitCode.usage,
  Q1007: exitCode.usage,
  Q1008: exitCode.usage,
  Q1009: exitCode.usage,
  Q1011: exitCode.brokerAway,
  Q1025: exitCode.brokerAway,
  Q2003: exitCode.notFound,
  Q2032: exitCode.failed,
  Q2031: exitCode.notFound,
  Q2104: exitCode.notFound,
  Q2105: exitCode.notFound,
  Q2106: exitCode.refused,
  Q2113: exitCode.refused,
  Q2118: exitCode.refused,
  Q2119: exitCode.refused,
  Q2107: exitCode.failed,
  Q2124: exitCode.failed,
  Q2125: exitCode.bug,
  Q2108: exitCode.timedOut,
  Q4013: exitCode.bug,
};

/** The exit code for an error that ended a command. What carries none of our codes is a bug of ours. */
export function exitCodeOf(error: unknown): number {
  const code = qCodeOf(error);
  if (code === undefined) return exitCode.bug;
  if (typeof error === "object" && error !== null && "duringLoad" in error) return exitCode.usage;
  // Q2 is configuration and usage, Q3 is a call that was refused before it was sent: both are for the caller to put right.
  return byCode[code] ?? (/^Q[23]/.test(code) ? exitCode.usage : exitCode.failed);
}

/** The `Qnnnn` of an error of ours, from whichever copy of a package it comes. */
export function qCodeOf(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^Q\d{4}$/.test(code) ? code : undefined;
}
