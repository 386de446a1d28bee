import { openSync, writeSync } from "node:fs";

/** What a process of the harness is told. @type {Record<string, any>} */
export const told = JSON.parse(process.argv[2] ?? "{}");
const log = openSync(told.log, "a");

/** One event, written by one call of the system, so that SIGKILL leaves whole lines. @param {Record<string, unknown>} event */
export function note(event) {
  // By the clock of the machine, whatever this process takes for the time.
  const at = Math.round(told.bootedAt + Number(process.hrtime.bigint()) / 1e6);
  writeSync(log, `${JSON.stringify({ ...event, pid: process.pid, at })}\n`);
}

/** Warnings are for whoever looks why a row failed. */
export const logger = {
  debug() {},
  info() {},
  /** @param {object} fields @param {string} text */
  warn: (fields, text) => say("warn", fields, text),
  /** @param {object} fields @param {string} text */
  error: (fields, text) => say("error", fields, text),
  child: () => logger,
};

/** @param {string} level @param {object} fields @param {string} text */
function say(level, fields, text) {
  const plain = Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? String(value) : value]);
  process.stderr.write(`${JSON.stringify({ level, text, ...Object.fromEntries(plain) })}\n`);
}

/** @param {number} ms */
export function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
