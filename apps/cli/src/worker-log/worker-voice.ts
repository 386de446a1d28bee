import { ReadStream } from "node:tty";
import type { App, Worker, WorkerEvent } from "@q/core";
import type { CliContext } from "../cli-context.ts";
import { colors } from "../output/colors.ts";
import { version } from "../version.ts";
import { listenForKeys } from "../worker/keys.ts";
import type { WorkerSettings } from "../worker/worker-settings.ts";
import { renderBanner } from "./banner.ts";
import { Footer } from "./footer.ts";
import { PrettyLog } from "./pretty-log.ts";
import { Screen } from "./screen.ts";
import { Tally } from "./tally.ts";
import type { WorkerLog } from "./worker-log.ts";

/** What a worker that has just started can tell about itself. */
export interface ReadyFacts {
  readonly worker: Worker;
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
  readonly #context: CliContext;
  /** Absent when the log is JSON. */
  readonly #screen: Screen | undefined;
  readonly #tally = new Tally();
  readonly #ends: (() => void)[] = [];

  private constructor(log: WorkerLog, context: CliContext, screen: Screen | undefined) {
    this.log = log;
    this.#context = context;
    this.#screen = screen;
  }

  /** pino is loaded only for JSON. */
  static async create(
    settings: WorkerSettings,
    context: CliContext,
    ready: Readonly<Record<string, unknown>>,
  ): Promise<WorkerVoice> {
    const format = settings.logFormat.value;
    const isTerminal = context.stderr.isTTY === true;
    const level = settings.logLevel.value;
    if (format === "json" || (format === "auto" && !isTerminal)) {
      const { JsonLog } = await import("./json-log.ts");
      return new WorkerVoice(new JsonLog({ level, ready }), context, undefined);
    }
    const screen = new Screen(context.stderr);
    return new WorkerVoice(new PrettyLog(screen, colors(context.terminal.stderrColor), level), context, screen);
  }

  readonly onEvent = (event: WorkerEvent): void => {
    this.#tally.count(event);
    this.log.onEvent(event);
  };

  /** The banner, then footer and keys where the terminal allows them; without a terminal, the warnings as log lines. */
  async ready({ worker, app, settings, also, warnings, readyMs, onStop }: ReadyFacts): Promise<void> {
    const screen = this.#screen;
    if (screen === undefined) {
      for (const warning of warnings) this.log.logger.warn({}, warning);
      return;
    }
    const palette = colors(this.#context.terminal.stderrColor);
    const { stdin, terminal } = this.#context;
    const keys = terminal.interactive && terminal.animated && stdin instanceof ReadStream ? stdin : undefined;
    const facts = {
      version,
      worker: worker.name,
      node: process.versions.node,
      pid: process.pid,
      broker: app.broker.address,
      queues: await waitingIn(app, worker),
      slots: worker.concurrency,
      shutdownTimeout: settings.shutdownTimeout.value,
      tasks: [...app.tasks.keys()].toSorted(),
      also,
      warnings,
      readyMs,
      hasKeys: keys !== undefined,
    };
    screen.line(renderBanner(facts, palette));
    if (keys !== undefined)
      this.#ends.push(listenForKeys({ stdin: keys, worker, log: this.log, level: settings.logLevel.value, onStop }));
    if (!terminal.animated) return;
    const footer = new Footer(screen, palette, { worker, tally: this.#tally, inspector: app.broker.inspector });
    footer.start();
    this.#ends.push(() => footer.stop());
  }

  /** Gives the terminal back. May be called twice. */
  stop(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}

async function waitingIn(app: App, worker: Worker): Promise<{ name: string; waiting: number | null }[]> {
  const { inspector } = app.broker;
  const names = [...new Set(worker.queues)];
  if (inspector === undefined) return names.map((name) => ({ name, waiting: null }));
  const stats = await Promise.all(names.map((name) => inspector.stats(name)));
  return stats.map(({ queue, ready }) => ({ name: queue, waiting: ready }));
}
