import { dirname, relative } from "node:path";
import { ReadStream } from "node:tty";
import type { Logger } from "@q/core";
import { UsageError } from "../cli-errors.ts";
import type { CliContext } from "../cli-context.ts";
import { findConfig } from "../find-config.ts";
import { counted } from "../output/numbers.ts";
import { variableOf } from "../setting.ts";
import { version } from "../version.ts";
import { WorkerVoice } from "../worker-log/worker-voice.ts";
import { Child } from "./child.ts";
import { endingSignals } from "./shutdown.ts";
import { Supervisor } from "./supervisor.ts";
import { Systemd } from "./systemd.ts";
import type { WorkerSettings } from "./worker-settings.ts";

/** What the command line says to the supervisor. All else is for its processes, which read the same command line. */
export interface SuperviseOptions {
  readonly settings: WorkerSettings;
  readonly isBurst: boolean;
  readonly config: string | undefined;
  /** `--watch`; `true` without a pattern. */
  readonly watch: string | boolean | undefined;
  /** That of its processes, at the time of each start. */
  readonly env: () => Readonly<Record<string, string | undefined>>;
  /** Health and pid file: adds how to end them, answers what to tell about them. */
  readonly openDoors: (isReady: () => boolean, ends: (() => unknown)[]) => Promise<readonly string[]>;
}

/** Runs `q worker` with `--processes` or `--watch`: this process only keeps others running. Answers with the exit code. */
export async function supervise(options: SuperviseOptions, context: CliContext): Promise<number> {
  const { settings, isBurst, watch, env } = options;
  const isWatching = watch !== undefined && watch !== false;
  if (isWatching && isBurst) {
    throw new UsageError("Q2103", "--watch and --burst do not go together", {
      hint: "the one never ends, the other ends as soon as it can",
    });
  }
  const processes = settings.processes.value ?? 1;
  const voice = await WorkerVoice.create(settings, context, { version });
  const { logger } = voice.log;
  const systemd = Systemd.join(context.env, logger);
  const supervisor: Supervisor = new Supervisor({
    processes,
    isBurst,
    waitsForChange: isWatching,
    logger,
    onReady: () =>
      systemd?.ready({ isLive: () => true, status: () => `${supervisor.ready} of ${processes} processes take tasks` }),
    start: (number, onReady) => Child.start(number, { env: env(), onReady }),
  });
  // Between two processes nothing else may keep Node from ending.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  const ends: (() => unknown)[] = [() => voice.close(), () => systemd?.close(), () => clearInterval(keepAlive)];
  try {
    ends.push(listenFor(supervisor, context, () => systemd?.stopping()));
    const also = await options.openDoors(() => supervisor.ready > 0, ends);
    if (isWatching) ends.push(await watchSources(supervisor, logger, options, context));
    const what = processes === 1 ? "one process" : `${processes} processes`;
    const facts = also.length === 0 ? {} : { also: also.join(" ") };
    logger.info(
      { pid: process.pid, ...facts },
      `keeping ${what} running${isWatching ? ", watching the source files" : ""}`,
    );
    context.end.atWork(() => []);
    supervisor.start();
    return await supervisor.ended;
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}

/** Answers how to stop watching. */
async function watchSources(
  supervisor: Supervisor,
  logger: Logger,
  { config, watch }: SuperviseOptions,
  { cwd, env }: CliContext,
): Promise<() => Promise<void>> {
  const root = dirname(findConfig(cwd, config ?? variableOf(env, "Q_CONFIG")));
  const onChange = (files: readonly string[]): void => {
    const [first = root, ...others] = files.map((file) => relative(cwd, file));
    const more = others.length === 0 ? "" : ` and ${counted(others.length, "other file")}`;
    logger.info({}, `changed ${first}${more}: restarting`);
    supervisor.restart();
  };
  const onError = (error: unknown): void => logger.error({ err: error }, "some changes will not be seen");
  // Only who develops needs it.
  const { watchFiles } = await import("./watch-files.ts");
  return watchFiles({ root, pattern: typeof watch === "string" ? watch : undefined, onChange, onError });
}

/** Answers how to stop listening. */
function listenFor(supervisor: Supervisor, { stdin }: CliContext, onStop: () => void): () => void {
  const handlers = new Map<NodeJS.Signals, () => void>();
  for (const signal of endingSignals) {
    handlers.set(signal, () => {
      onStop();
      supervisor.signal(signal);
    });
  }
  if (process.platform !== "win32") {
    for (const signal of ["SIGCONT", "SIGUSR2"] as const) handlers.set(signal, () => supervisor.pass(signal));
    // On a terminal Ctrl-Z keeps its own meaning for this process. The others get it from the terminal, too: they take no more until it goes on.
    if (!(stdin instanceof ReadStream)) handlers.set("SIGTSTP", () => supervisor.pass("SIGTSTP"));
  }
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
