import type { Terminal, TerminalStream } from "../cli-context.ts";

export interface TerminalFacts {
  readonly stdin: TerminalStream;
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly noColor: boolean;
  readonly noInput: boolean;
}

/** Narrower than this, a redrawn line would wrap and leave its pieces behind. */
const narrowest = 60;

/**
 * Decides about colours and redrawing. `--no-color` and `NO_COLOR` beat `FORCE_COLOR`, which beats what the stream is; `TERM=dumb` is off.
 * Continuous integration and coding agents get plain lines.
 */
export function terminalOf(facts: TerminalFacts): Terminal {
  const { env, stdin, stdout, stderr } = facts;
  const isDumb = env["TERM"] === "dumb";
  const watched = !isSet(env["CI"]) && !isSet(env["AI_AGENT"]);
  const color = (stream: TerminalStream): boolean => {
    if (facts.noColor || isSet(env["NO_COLOR"])) return false;
    const forced = env["FORCE_COLOR"];
    if (forced !== undefined) return forced !== "0" && forced !== "false";
    return stream.isTTY === true && !isDumb;
  };
  return {
    stdoutColor: color(stdout),
    stderrColor: color(stderr),
    interactive: stdin.isTTY === true && stderr.isTTY === true && watched && !facts.noInput,
    animated: stderr.isTTY === true && !isDumb && watched && (stderr.columns ?? 0) >= narrowest,
    width: stdout.isTTY === true ? (stdout.columns ?? 80) : undefined,
  };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
