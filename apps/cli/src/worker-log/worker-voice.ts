import { resolve } from "node:path";
import { ReadStream } from "node:tty";
import { durationMs, formatMs, type App, type Logger, type Worker, type WorkerEvent } from "@q/core";
import type { CliContext } from "../cli-context.ts";
import { colors } from "../output/colors.ts";
import { tryStats } from "../try-stats.ts";
import { version } from "../version.ts";
import { listenForKeys } from "../worker/keys.ts";
import type { WorkerPause } from "../worker/worker-pause.ts";
import type { WorkerSettings } from "../worker/worker-settings.ts";
import { renderBanner, type BannerFacts } from "./banner.ts";
import { divertWrites } from "./divert-writes.ts";
import { Footer } from "./footer.ts";
import type { JsonLogOptions } from "./json-log.ts";
import { LogFile } from "./log-file.ts";
import { PrettyLog } from "./pretty-log.ts";
import { Screen } from "./screen.ts";
import { Tally } from "./tally.ts";
import type { WorkerLog } from "./worker-log.ts";

interface VoiceParts {
  readonly log: WorkerLog;
  /** Where a person sits: for the banner, the footer and the answers to keys. Absent when nobody does, or when JSON is wanted there. */
  readonly terminal: { readonly screen: Screen; readonly answers: Logger } | undefined;
  /** Where the log goes instead. */
  readonly file: LogFile | undefined;
}

/** What a worker that has just started can tell about itself. */
export interface ReadyFacts {
  readonly worker: Worker;
  readonly pause: WorkerPause;
  readonly app: App;
  readonly settings: WorkerSettings;
  readonly also: readonly string[];
  readonly warnings: readonly string[];
  readonly readyMs: number;
  readonly onStop: () => void;
}

/** Everything that a worker process shows: log lines, and on a terminal the banner, the footer and the keys. */
export class WorkerVoice {
  readonly log: WorkerLog;
  /** Whether people read the log, and not programs. */
  readonly isPretty: boolean;
  readonly #context: CliContext;
  readonly #parts: VoiceParts;
  readonly #tally = new Tally();
  readonly #ends: (() => void)[] = [];
  #awaitsBanner = false;

  private constructor(parts: VoiceParts, context: CliContext) {
    this.log = parts.log;
    this.isPretty = parts.log instanceof PrettyLog;
    this.#parts = parts;
    this.#context = context;
  }

  /**
   * @param ready facts for the line that says that the worker is ready
   * @throws ConfigError `Q2117` when the log file cannot be opened
   */
  static async create(
    settings: WorkerSettings,
    context: CliContext,
    ready: Readonly<Record<string, unknown>>,
  ): Promise<WorkerVoice> {
    const [format, level, path] = [settings.logFormat.value, settings.logLevel.value, settings.logFile.value];
    const isTerminal = context.stderr.isTTY === true;
    const screen = new Screen(context.stderr);
    const pretty = new PrettyLog({ screen, colors: colors(context.terminal.stderrColor), level });
    const { answers } = pretty;
    const release = settings.release.value;
    const facts = release === undefined ? ready : { ...ready, release };
    if (path !== undefined) {
      const file = new LogFile(resolve(context.cwd, path), { onTrouble: (text) => answers.warn({}, text) });
      const log =
        format === "pretty"
          ? new PrettyLog({ screen: new Screen(file), colors: colors(false), level, file: { ready: facts } })
          : await jsonLog({ level, ready: facts, file });
      return new WorkerVoice({ log, terminal: isTerminal ? { screen, answers } : undefined, file }, context);
    }
    const isJson = format === "json" || (format === "auto" && !isTerminal);
    const parts = isJson
      ? { log: await jsonLog({ level, ready: facts, file: undefined }), terminal: undefined }
      : { log: pretty, terminal: { screen, answers } };
    return new WorkerVoice({ ...parts, file: undefined }, context);
  }

  readonly onEvent = (event: WorkerEvent): void => {
    if (this.#awaitsBanner && "id" in event) this.#parts.terminal?.screen.hold();
    this.#tally.count(event);
    this.log.onEvent(event);
  };

  /** What is said from the first task on waits for the banner of `ready`. Before it there is only what keeps the worker from starting. */
  awaitBanner(): void {
    this.#awaitsBanner = this.#parts.file === undefined;
  }

  /** The banner, then footer and keys where the terminal allows them; where the log is not on the terminal, the warnings as log lines. */
  async ready({ worker, pause, app, settings, also, warnings, readyMs, onStop }: ReadyFacts): Promise<void> {
    const { terminal: shown, file } = this.#parts;
    if (shown === undefined || file !== undefined) for (const warning of warnings) this.log.logger.warn({}, warning);
    if (shown === undefined) return;
    const { screen, answers } = shown;
    const palette = colors(this.#context.terminal.stderrColor);
    const { stdin, terminal } = this.#context;
    const keys = terminal.interactive && terminal.animated && stdin instanceof ReadStream ? stdin : undefined;
    const { queues, brokerMs } = await waitingIn(app, worker, this.log.logger);
    const facts = {
      version,
      release: worker.release,
      worker: worker.name,
      node: process.versions.node,
      pid: process.pid,
      broker: app.broker.address,
      brokerMs,
      queues,
      slots: worker.concurrency,
      shutdownTimeout: formatMs(durationMs(settings.shutdownTimeout.value)),
      tasks: [...app.tasks.keys()].toSorted(),
      also: settings.logFile.value === undefined ? also : [...also, `log in ${settings.logFile.value}`],
      warnings,
      readyMs,
      hasKeys: keys !== undefined,
    };
    this.#awaitsBanner = false;
    screen.release(renderBanner(facts, palette));
    if (keys !== undefined) {
      this.#ends.push(
        listenForKeys({
          stdin: keys,
          worker,
          pause,
          answers,
          level: settings.logLevel.value,
          setLevel: (level) => this.log.setLevel(level),
          onClear: () => screen.clear(),
          onStop,
        }),
      );
    }
    if (!terminal.animated) return;
    const footer = new Footer(screen, palette, { worker, tally: this.#tally, inspector: app.broker.inspector });
    footer.start();
    this.#ends.push(() => footer.stop());
    this.#share(screen);
  }

  /** What handlers print would stand where the footer is drawn next, and vanish. */
  #share(screen: Screen): void {
    for (const stream of [this.#context.stdout, this.#context.stderr]) {
      if (stream.isTTY === true) this.#ends.push(divertWrites(stream, (text) => screen.print(text)));
    }
    // Who leaves in the middle of a line has printed it all the same.
    const onExit = (): void => this.stop();
    process.once("exit", onExit);
    this.#ends.push(() => process.off("exit", onExit));
  }

  /** Gives the terminal back. May be called twice. What is logged later is still written. */
  stop(): void {
    this.#awaitsBanner = false;
    this.#parts.terminal?.screen.release();
    for (const end of this.#ends.splice(0)) end();
  }

  /** Lets go of the log file, after the last line. May be called twice. */
  close(): void {
    this.#parts.file?.close();
  }
}

/** pino is loaded only for JSON. */
async function jsonLog(options: JsonLogOptions): Promise<WorkerLog> {
  const { JsonLog } = await import("./json-log.ts");
  return new JsonLog(options);
}

async function waitingIn(app: App, worker: Worker, logger: Logger): Promise<Pick<BannerFacts, "queues" | "brokerMs">> {
  const { inspector } = app.broker;
  const names = [...new Set(worker.queues)];
  if (inspector === undefined) return { queues: names.map((name) => ({ name, waiting: null })), brokerMs: null };
  const look = async (name: string): Promise<BannerFacts["queues"][number]> => {
    const stats = await tryStats(inspector, name, logger);
    return { name, waiting: stats?.ready ?? null };
  };
  const [first = "", ...others] = names;
  const askedAt = performance.now();
  const queues = [await look(first)];
  const brokerMs = performance.now() - askedAt;
  queues.push(...(await Promise.all(others.map(look))));
  return { queues, brokerMs };
}
