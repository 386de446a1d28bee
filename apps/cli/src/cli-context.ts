import type { Readable, Writable } from "node:stream";
import type { BaseContext } from "clipanion";
import type { ProcessEnd } from "./process-end.ts";

/** What a stream says about itself when it is a terminal. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What a command may touch of the world around it. */
export type CliContext = BaseContext & {
  readonly stdin: Readable & TerminalStream;
  readonly stdout: Writable & TerminalStream;
  readonly stderr: Writable & TerminalStream;
  readonly cwd: string;
  readonly end: ProcessEnd;
  /** Decided once from flags, environment and terminal, see `terminal.ts`. */
  readonly terminal: Terminal;
};

/** What the terminal can do, and what the user allows. */
export interface Terminal {
  readonly stdoutColor: boolean;
  readonly stderrColor: boolean;
  /** Whether a person sits there who can be asked: both ends are terminals, and neither `CI` nor `--no-input` is set. */
  readonly interactive: boolean;
  /** Whether lines on stderr may be redrawn. */
  readonly animated: boolean;
  /** Columns of stdout; `undefined` when it is not a terminal: print lines in full. */
  readonly width: number | undefined;
}
