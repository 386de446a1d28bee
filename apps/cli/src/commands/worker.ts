import type { Usage } from "clipanion";
import { resolve } from "node:path";
import { ReadStream } from "node:tty";
import { durationMs, type App, type Logger, type Worker, type WorkerEvent } from "@q/core";
import { AppCommand, inspectorOf } from "../app-command.ts";
import { UsageError } from "../cli-errors.ts";
import { flagBytes, flagChoice, flagDuration, flagDurationMs, flagNumber } from "../flag-values.ts";
import { listFlag, optionalValueFlag, switchFlag, valueFlag } from "../flag.ts";
import { loadImports, type LoadedApp } from "../load-app.ts";
import { chooseQueues, type ChosenQueues } from "../queue-names.ts";
import { version } from "../version.ts";
import { startCron } from "../cron/start-cron.ts";
import { Burst, type BurstOptions } from "../worker/burst.ts";
import { isReady, serveHealth, touchHealthFile } from "../worker/health.ts";
import { writePidFile } from "../worker/pid-file.ts";
import { listenForPause } from "../worker/pause-signals.ts";
import { assertMayPurge, purgeFirst } from "../worker/purge-first.ts";
import { Recycle, type RecycleOptions } from "../worker/recycle.ts";
import { Shutdown } from "../worker/shutdown.ts";
import { supervise } from "../worker/supervise.ts";
import { Supervised } from "../worker/supervised.ts";
import { Systemd } from "../worker/systemd.ts";
import { WorkerPause } from "../worker/worker-pause.ts";
import { queueWarnings } from "../queue-warnings.ts";
import { relativeFileWarning } from "../relative-file.ts";
import { readWorkerSettings, type WorkerFlags, type WorkerSettings } from "../worker/worker-settings.ts";
import { WorkerVoice } from "../worker-log/worker-voice.ts";

type BurstLimits = Pick<BurstOptions, "idleMs" | "max">;

export class WorkerCommand extends AppCommand {
  static override readonly paths: string[][] = [["worker"]];
  static override readonly usage: Usage = {
    details:
      "Takes tasks from the queues and runs them until it is told to stop. SIGTERM or Ctrl-C: take no more, finish, hand the rest back. Twice: hand back now.\n" +
      "Pretty lines on a terminal, one JSON object a line elsewhere. Every flag with a Q_ variable: Q_QUEUES, Q_CONCURRENCY, Q_NAME, Q_LOG_LEVEL,\n" +
      "Q_LOG_FORMAT, Q_SHUTDOWN_TIMEOUT, Q_HEALTH_PORT, Q_PROCESSES.",
    examples: [
      ["all queues", "q worker"],
      ["two queues, images in three of four turns", "q worker -Q email,images:3 -c 20"],
      ["all but one", "q worker -X reports"],
      ["do what is there, then end", "q worker --burst"],
      ["on four cores", "q worker --processes 4"],
      ["while you write tasks", "q worker --watch"],
      ["in a container", "q worker --health-port 8081 -t 25s"],
    ],
  };

  queues: string[] = listFlag("-Q,--queues", "names", "take from these; images:3 gets three turns (default: all)");
  excludeQueues: string[] = listFlag("-X,--exclude-queues", "names", "take from all but these");
  ignoreUnknownQueues: boolean = switchFlag(
    "--ignore-unknown-queues",
    "serve the others when a name is not in the config",
  );
  concurrency: string | undefined = valueFlag("-c,--concurrency", "n", "tasks that run at once (default 10)");
  processes: string | undefined = valueFlag(
    "--processes",
    "n",
    "run this many processes, each with its own slots, and replace those that end",
  );
  watch: string | boolean | undefined = optionalValueFlag(
    "--watch",
    "glob",
    "start anew when a source file changes; for development (default: below the config's folder)",
  );
  pool: string | undefined = valueFlag("-P,--pool", "async", "where tasks run: async, in this process");
  name: string | undefined = valueFlag(
    "-n,--name",
    "name",
    "unique name; %h is the host, %i the number of the process (default: host and random digits)",
  );
  prefetch: string | undefined = valueFlag("--prefetch", "n", "tasks to hold beyond free slots (default: by itself)");
  softTimeLimit: string | undefined = valueFlag(
    "--soft-time-limit",
    "duration",
    "abort ctx.signal of tasks that have no limit of their own",
  );
  timeLimit: string | undefined = valueFlag(
    "--time-limit,--timeout",
    "duration",
    "give up on tasks that have no limit of their own",
  );
  shutdownTimeout: string | undefined = valueFlag(
    "-t,--shutdown-timeout",
    "duration",
    "wait for running tasks this long (default 25s)",
  );
  once: boolean = switchFlag("--once,--burst", "run what is there, then end");
  max: string | undefined = valueFlag("--max", "n", "with --burst: take this many, let them finish, then end");
  idle: string | undefined = valueFlag(
    "--idle",
    "duration",
    "with --burst: end after this long without work (default 1s)",
  );
  maxTasks: string | undefined = valueFlag(
    "--max-tasks-per-child",
    "n",
    "end after about this many, for --processes or another supervisor to start a new one",
  );
  maxMemory: string | undefined = valueFlag("--max-memory-per-child", "size", "end when it has more, as 512mb");
  logLevel: string | undefined = valueFlag(
    "-l,--log-level,--loglevel",
    "level",
    "debug, info, warn or error (default info)",
  );
  logFormat: string | undefined = valueFlag("--log-format", "format", "auto, pretty or json (default auto)");
  logFile: string | undefined = valueFlag(
    "-f,--log-file,--logfile",
    "path",
    "log there, as JSON unless --log-format says otherwise; may be rotated",
  );
  healthPort: string | undefined = valueFlag("--health-port", "port", "answer GET /livez and /readyz there");
  healthFile: string | undefined = valueFlag("--health-file", "path", "touch this file every 5 s while it takes tasks");
  pidFile: string | undefined = valueFlag("--pid-file,--pidfile", "path", "write the process id there");
  cron: boolean = switchFlag("-B,--beat,--cron", "also send tasks at their time, as q cron does");
  purge: boolean = switchFlag("--purge", "delete what waits in the queues first; needs --yes, never in production");
  yes: boolean = switchFlag("-y,--yes", "with --purge: do not ask");
  events: boolean = switchFlag("-E,--events", "taken for the sake of Celery's users; does nothing");

  async execute(): Promise<number> {
    const startedAt = performance.now();
    const supervised = Supervised.join(this.context);
    const settings = readWorkerSettings(this.#settingFlags(), this.context.env, supervised?.number);
    flagChoice("--pool", this.pool, ["async"]);
    const burst = this.#burstLimits();
    if (supervised === undefined && (settings.processes.value !== undefined || this.watch !== undefined))
      return this.#supervise(settings, burst !== undefined);
    const loaded = await this.loadApp();
    if (this.purge) assertMayPurge(this.context.env, { yes: this.yes });
    const voice = await WorkerVoice.create(settings, this.context, { broker: loaded.app.broker.address, version });
    loaded.app.use({ logger: voice.log.logger });
    await loadImports(loaded, this.context);
    const chosen = chooseQueues(loaded.app, {
      only: settings.queues.value,
      except: this.excludeQueues,
      ignoreUnknown: this.ignoreUnknownQueues,
    });
    const listeners: ((event: WorkerEvent) => void)[] = [voice.onEvent];
    const worker = this.#createWorker(loaded.app, settings, chosen, burst?.max, (event) => {
      for (const listener of listeners) listener(event);
    });
    const pause = new WorkerPause(worker);
    const shutdown = new Shutdown(worker, voice.log, {
      shutdownTimeoutMs: durationMs(settings.shutdownTimeout.value),
      isSupervised: supervised !== undefined,
      exit: (code) => {
        voice.stop();
        this.context.end.exit(code);
      },
    });
    shutdown.listen();
    supervised?.obey(shutdown, voice.log.logger);
    const recycle = this.#recycle({
      worker,
      onUsedUp: (reason) => {
        voice.log.logger.info({ reason }, "the process is used up; ending it when all that runs is done");
        supervised?.report("used-up");
        pause.beginForGood(voice.log.logger);
      },
      onDone: () => void shutdown.stop(),
    });
    listeners.push((event) => recycle.onEvent(event));
    const systemd = Systemd.join(this.context.env, voice.log.logger);
    if (systemd !== undefined) listeners.push(systemd.follow(worker));
    const watch =
      burst === undefined
        ? undefined
        : new Burst({
            worker,
            inspector: loaded.app.broker.inspector,
            ...burst,
            onFull: () => pause.beginForGood(voice.log.logger),
            onOver: () => void shutdown.stop(),
          });
    // From the first message on, or --max would miss those that come before the worker is announced.
    if (watch !== undefined) listeners.push((event) => watch.onEvent(event));
    const onTerminal = this.context.stdin instanceof ReadStream;
    const ends: (() => unknown)[] = [
      // Before anybody can know that it is there: these signals end a process that does not listen.
      listenForPause({ worker, pause, logger: voice.log.answers, onTerminal }),
      () => voice.stop(),
      () => systemd?.close(),
      () => watch?.stop(),
      () => recycle.stop(),
      () => supervised?.leave(),
    ];
    try {
      const ready = (): boolean => isReady(worker, loaded.app.broker);
      const also = supervised === undefined ? await this.#openDoors(ready, settings, ends) : [];
      if (this.purge) await purgeFirst(loaded.app, inspectorOf(loaded.app.broker), worker.queues, voice.log.logger);
      this.context.end.atWork(() => worker.running().map(({ task }) => task));
      if (supervised === undefined) voice.awaitBanner();
      try {
        await worker.start();
      } catch (error) {
        // One that was told to stop while it could not connect has stopped.
        if (worker.state === "new") throw error;
      }
      if (worker.state === "stopping" || worker.state === "stopped") return await shutdown.ended;
      if (supervised === undefined) await this.#showHealth(ready, ends);
      supervised?.reportReadiness(ready);
      // One of several says what is true of all.
      const warnings =
        (supervised?.number ?? 1) === 1 ? await this.#warnings(loaded, worker, chosen, voice.log.logger) : [];
      if (supervised === undefined)
        await voice.ready({
          worker,
          pause,
          app: loaded.app,
          settings,
          also,
          warnings,
          readyMs: performance.now() - startedAt,
          onStop: () => shutdown.signal("SIGINT"),
        });
      else for (const warning of warnings) voice.log.logger.warn({}, warning);
      watch?.start();
      recycle.start();
      if (this.cron) ends.push(await startCron(loaded.app, voice.log.logger, voice.isPretty));
      return await shutdown.ended;
    } finally {
      // What went wrong after its start, such as a schedule of --cron, finds it with tasks. One that has stopped is not stopped again.
      if (worker.state !== "new") await worker.abort();
      for (const end of ends.toReversed()) await end();
      await loaded.app.close();
      shutdown.unlisten();
      voice.close();
    }
  }

  /** `--json` and `--quiet` have a meaning of their own here: they choose format and level. */
  #settingFlags(): WorkerFlags {
    const { queues, concurrency, name, logFile, shutdownTimeout, healthPort, processes } = this;
    const logFormat = this.logFormat ?? (this.json ? "json" : undefined);
    const logLevel = this.logLevel ?? (this.quiet ? "warn" : undefined);
    return { queues, concurrency, name, shutdownTimeout, healthPort, processes, logFormat, logLevel, logFile };
  }

  #supervise(settings: WorkerSettings, isBurst: boolean): Promise<number> {
    const { config, watch } = this;
    if (this.purge) {
      throw new UsageError("Q2103", "--purge is for one worker, not for --processes or --watch", {
        hint: "q purge first, then the workers",
      });
    }
    const openDoors = async (ready: () => boolean, ends: (() => unknown)[]): Promise<readonly string[]> => {
      const also = await this.#openDoors(ready, settings, ends);
      await this.#showHealth(ready, ends);
      return also;
    };
    const env = (): Readonly<Record<string, string | undefined>> => this.outerEnv;
    return supervise({ settings, isBurst, config, watch, env, openDoors }, this.context);
  }

  #recycle(parts: Pick<RecycleOptions, "worker" | "onUsedUp" | "onDone">): Recycle {
    return new Recycle({
      ...parts,
      maxTasks: flagNumber("--max-tasks-per-child", this.maxTasks, { from: 1, to: Number.MAX_SAFE_INTEGER }),
      maxBytes: flagBytes("--max-memory-per-child", this.maxMemory),
      memory: () => process.memoryUsage.rss(),
    });
  }

  #createWorker(
    app: App,
    settings: WorkerSettings,
    chosen: ChosenQueues,
    most: number | undefined,
    onEvent: (event: WorkerEvent) => void,
  ): Worker {
    const { concurrency, name, release, shutdownTimeout } = settings;
    const prefetch = most === undefined ? flagNumber("--prefetch", this.prefetch, { from: 0, to: 10_000 }) : 0;
    const softTimeLimit = flagDuration("--soft-time-limit", this.softTimeLimit);
    const timeLimit = flagDuration("--time-limit", this.timeLimit);
    return app.createWorker({
      queues: chosen.turns,
      // With --max, more slots than that, or messages held in advance, would start more than that.
      concurrency: Math.min(concurrency.value, most ?? Infinity),
      shutdownTimeout: shutdownTimeout.value,
      onEvent,
      ...(name.value === undefined ? {} : { name: name.value }),
      ...(release.value === undefined ? {} : { release: release.value }),
      ...(prefetch === undefined ? {} : { prefetch }),
      ...(softTimeLimit === undefined ? {} : { softTimeLimit }),
      ...(timeLimit === undefined ? {} : { timeLimit }),
    });
  }

  #burstLimits(): BurstLimits | undefined {
    const max = flagNumber("--max", this.max, { from: 1, to: Number.MAX_SAFE_INTEGER });
    const idleMs = flagDurationMs("--idle", this.idle) ?? 1000;
    if (this.once) return { idleMs, max };
    if (this.max !== undefined || this.idle !== undefined)
      throw new UsageError("Q2103", "--max and --idle need --burst");
    return undefined;
  }

  /** Health and pid file. Answers what to tell about them. */
  async #openDoors(ready: () => boolean, settings: WorkerSettings, ends: (() => unknown)[]): Promise<string[]> {
    if (this.pidFile !== undefined) ends.push(writePidFile(resolve(this.context.cwd, this.pidFile)));
    if (settings.healthPort.value === undefined) return [];
    const server = await serveHealth(settings.healthPort.value, ready);
    ends.push(() => server.close());
    return [`http://127.0.0.1:${server.port}/livez`];
  }

  async #showHealth(ready: () => boolean, ends: (() => unknown)[]): Promise<void> {
    if (this.healthFile !== undefined)
      ends.push(await touchHealthFile(resolve(this.context.cwd, this.healthFile), ready));
  }

  async #warnings(loaded: LoadedApp, worker: Worker, chosen: ChosenQueues, logger: Logger): Promise<string[]> {
    const { app } = loaded;
    const warnings = chosen.unknown.map((name) => `no queue named "${name}"; serving the others`);
    const strayFile = relativeFileWarning(loaded, this.context.cwd);
    if (strayFile !== undefined) warnings.push(strayFile);
    if (this.events) warnings.push("-E does nothing: this worker sends no Celery events");
    if (app.tasks.size === 0)
      warnings.push(
        "this config knows no tasks: every message will be parked. Does imports match your task files? q check tells",
      );
    return [...warnings, ...(await queueWarnings(app, app.broker.inspector, { served: worker.queues, logger }))];
  }
}
