import type { ReadStream } from "node:tty";
import type { Logger, Worker } from "@q/core";
import { reportRunning } from "./pause-signals.ts";
import type { WorkerPause } from "./worker-pause.ts";
import { logLevels, type LogLevel } from "./worker-settings.ts";

export interface KeyOptions {
  readonly stdin: ReadStream;
  readonly worker: Worker;
  readonly pause: WorkerPause;
  /** Where the keys answer. */
  readonly answers: Logger;
  /** What the log shows at first. */
  readonly level: LogLevel;
  readonly setLevel: (level: LogLevel) => void;
  readonly onClear: () => void;
  /** Ctrl-C and `q`: as a first, second, third signal. */
  readonly onStop: () => void;
}

/** Single keys on a terminal. While it listens, Ctrl-C and Ctrl-Z arrive as keys too. Answers how to give the terminal back. */
export function listenForKeys({
  stdin,
  worker,
  pause,
  answers,
  level,
  setLevel,
  onClear,
  onStop,
}: KeyOptions): () => void {
  let shown = level;
  const actions: Readonly<Record<string, () => void>> = {
    h: () => answers.info({}, "keys: p pause or go on, s what runs, l log level, c clear, q stop"),
    p: () => pause.toggle(answers),
    s: () => reportRunning(worker, answers),
    l: () => {
      shown = nextLevel(shown);
      setLevel(shown);
      answers.info({}, `showing ${shown} and above`);
    },
    c: onClear,
    q: onStop,
    "\u0003": onStop,
    "\u001a": suspend,
  };
  const onKeys = (keys: Buffer): void => {
    for (const key of keys.toString("utf8")) actions[key]?.();
  };

  function suspend(): void {
    stdin.setRawMode(false);
    process.once("SIGCONT", () => stdin.setRawMode(true));
    process.kill(process.pid, "SIGTSTP");
  }

  stdin.setRawMode(true);
  stdin.resume();
  stdin.unref();
  stdin.on("data", onKeys);
  return () => {
    stdin.off("data", onKeys);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

function nextLevel(level: LogLevel): LogLevel {
  return logLevels[(logLevels.indexOf(level) + 1) % logLevels.length] ?? "info";
}
