import type { Usage } from "clipanion";
import { resolve } from "node:path";
import { AppCommand } from "../app-command.ts";
import { cronLog } from "../cron/cron-log.ts";
import { renderCronBanner } from "../cron/cron-banner.ts";
import { Ending } from "../cron/ending.ts";
import { exitCode } from "../exit-code.ts";
import { switchFlag, valueFlag } from "../flag.ts";
import { loadImports } from "../load-app.ts";
import { colors } from "../output/colors.ts";
import { relativeFileWarning } from "../relative-file.ts";
import { version } from "../version.ts";
import { serveHealth } from "../worker/health.ts";
import { writePidFile } from "../worker/pid-file.ts";
import { readWorkerSettings, type WorkerSettings } from "../worker/worker-settings.ts";
import { WorkerVoice } from "../worker-log/worker-voice.ts";

export class CronCommand extends AppCommand {
  static override readonly paths: string[][] = [["cron"]];
  static override readonly usage: Usage = {
    details:
      "Sends the tasks of createApp({ schedule }) and of app.schedules at their time, until it is told to stop. Run as many as you like: each tick is sent once, by\n" +
      "one of them, and when one dies the others go on; on RabbitMQ the tick of that moment may be sent twice. Q_LOG_LEVEL, Q_LOG_FORMAT and Q_HEALTH_PORT count as for q worker.",
    examples: [
      ["send", "q cron"],
      ["what would be sent", "q cron --dry-run"],
      ["what is due now, from another scheduler", "q cron --once"],
      ["in a worker's process", "q worker --cron"],
    ],
  };

  dryRun: boolean = switchFlag("--dry-run", "say what would be sent, send nothing");
  once: boolean = switchFlag("--once", "send what is due now, then end");
  logLevel: string | undefined = valueFlag(
    "-l,--log-level,--loglevel",
    "level",
    "debug, info, warn or error (default info)",
  );
  logFormat: string | undefined = valueFlag("--log-format", "format", "auto, pretty or json (default auto)");
  logFile: string | undefined = valueFlag("-f,--log-file,--logfile", "path", "log there, as q worker does");
  healthPort: string | undefined = valueFlag("--health-port", "port", "answer GET /livez and /readyz there");
  pidFile: string | undefined = valueFlag("--pid-file,--pidfile", "path", "write the process id there");

  async execute(): Promise<number> {
    const startedAt = performance.now();
    const settings = this.#settings();
    const loaded = await this.loadApp();
    const { app } = loaded;
    const voice = await WorkerVoice.create(settings, this.context, { broker: app.broker.address, version });
    const { logger } = voice.log;
    app.use({ logger });
    const strayFile = relativeFileWarning(loaded, this.context.cwd);
    if (strayFile !== undefined) logger.warn({}, strayFile);
    await loadImports(loaded, this.context);
    const { Scheduler } = await import("@q/scheduler");
    const isOnTerminal = this.context.stderr.isTTY === true && voice.isPretty && this.logFile === undefined;
    const log = cronLog(logger, voice.isPretty);
    const scheduler = new Scheduler(app, {
      dryRun: this.dryRun,
      onEvent: (event) => {
        // On a terminal the banner says it.
        if (event.type !== "scheduler.ready" || !isOnTerminal) log(event);
      },
    });
    const ending = new Ending(logger, this.context.end.exit);
    const ends: (() => unknown)[] = [];
    try {
      if (this.once) {
        // A signal has its usual meaning: every tick is either sent or still to be sent.
        ending.unlisten();
        await scheduler.once();
        return exitCode.done;
      }
      const also = await this.#openDoors(settings, () => scheduler.isReachable && app.broker.connected, ends);
      this.context.end.atWork(() => []);
      // One that is told to stop while it cannot connect does not wait for that.
      const code = await Promise.race([scheduler.start(), ending.ended]);
      if (code !== undefined) return code;
      if (isOnTerminal) {
        const next = scheduler.next;
        const facts = {
          version,
          node: process.versions.node,
          pid: process.pid,
          broker: app.broker.address,
          next,
          also,
        };
        const banner = renderCronBanner(
          {
            ...facts,
            schedules: scheduler.size,
            isDry: this.dryRun,
            nowMs: Date.now(),
            mayRepeat: app.broker.schedules?.counts !== undefined,
            readyMs: performance.now() - startedAt,
          },
          colors(this.context.terminal.stderrColor),
        );
        this.context.stderr.write(`${banner}\n`);
      }
      return await ending.ended;
    } finally {
      await scheduler.stop();
      for (const end of ends.toReversed()) await end();
      await app.close();
      ending.unlisten();
      voice.stop();
      voice.close();
    }
  }

  /** `--json` and `--quiet` have a meaning of their own here, as for `q worker`. */
  #settings(): WorkerSettings {
    const { logFile, healthPort } = this;
    const logFormat = this.logFormat ?? (this.json ? "json" : undefined);
    const logLevel = this.logLevel ?? (this.quiet ? "warn" : undefined);
    return readWorkerSettings({ logFormat, logLevel, logFile, healthPort }, this.context.env);
  }

  async #openDoors(
    settings: WorkerSettings,
    ready: () => boolean,
    ends: (() => unknown)[],
  ): Promise<readonly string[]> {
    if (this.pidFile !== undefined) ends.push(writePidFile(resolve(this.context.cwd, this.pidFile)));
    if (settings.healthPort.value === undefined) return [];
    const server = await serveHealth(settings.healthPort.value, ready);
    ends.push(() => server.close());
    return [`http://127.0.0.1:${server.port}/livez`];
  }
}
