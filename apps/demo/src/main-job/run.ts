import { setTimeout as wait } from "node:timers/promises";
import type { BrokerMessage, QueueInspector } from "@q/core/broker";
import { app } from "../../q.config.ts";
import { clearDataFolder, eventsFile, spoolFile } from "../folder.ts";
import { EventStore } from "../stores/event-store.ts";
import { Spool } from "../stores/spool.ts";
import { check } from "./check.ts";
import type { Finding } from "./check.ts";
import type { CronProcess } from "./cron-process.ts";
import { leftIn, readEvidence } from "./evidence.ts";
import { takeFolder } from "./folder-lock.ts";
import type { MainJobOptions } from "./options.ts";
import { saveOldEvents } from "./old-events.ts";
import { lockEventDatabase } from "./outage.ts";
import { findingsTable, latencyLines } from "./report.ts";
import { RequestMix, liveProject } from "./request-mix.ts";
import type { SentRequest } from "./request-mix.ts";
import type { Screen } from "./screen.ts";
import { sendRequests } from "./sender.ts";
import { Stage } from "./stage.ts";
import { killWhileHolding } from "./worker-kill.ts";
import type { WorkerProcess } from "./worker-process.ts";

const queue = "important_queue";
/** Where the ticks of the schedule go. */
const tickQueue = "default";
const schedule = "expire-events";
/** As many as two ticks expire: one before a cron process is killed, one after. */
const oldEvents = 50;
const concurrency = 8;
/** Shares of the requests after which the database goes away and a worker is killed. */
const outageAt = 0.25;
const killAt = 0.5;
/** Without any change for this long the job has got stuck. */
const stuckMs = 30_000;

/** What the main job found. */
export interface MainJobResult {
  readonly findings: readonly Finding[];
  /** Processes that did not end as they should. */
  readonly badEnds: readonly string[];
}

/** The main job from the first process to the last: everything that it starts has ended when the promise of `run` settles. */
export class MainJob {
  readonly #options: MainJobOptions;
  readonly #screen: Screen;
  readonly #signal: AbortSignal;
  /** Ends whatever still waits or sends when the job is over, for whatever reason. */
  readonly #over = new AbortController();
  readonly #stage = new Stage();
  readonly #events = new EventStore(eventsFile);
  readonly #spool = new Spool(spoolFile);
  readonly #requests: SentRequest[] = [];
  readonly #workers: WorkerProcess[] = [];
  readonly #crons: CronProcess[] = [];
  #saved = 0;
  #left = 0;
  #isDrained = false;

  /** @param signal stops the job midway, or ends it where it was to be kept */
  constructor(options: MainJobOptions, screen: Screen, signal: AbortSignal) {
    this.#options = options;
    this.#screen = screen;
    this.#signal = signal;
  }

  /** @throws FolderTaken; ChildFailed when a process ends by itself; the signal's reason when it aborts midway */
  async run(): Promise<MainJobResult> {
    const giveFolderFree = await takeFolder();
    try {
      clearDataFolder();
      await this.#events.create([liveProject]);
      await saveOldEvents(this.#events, oldEvents);
      await app.open();
      const findings = await this.#unlessStopped();
      return { findings, badEnds: await this.#stage.stop() };
    } finally {
      await this.#stage.stop();
      await app.close();
      await this.#events.close();
      await this.#spool.close();
      giveFolderFree();
    }
  }

  /** The job, or the first thing that makes it pointless. */
  async #unlessStopped(): Promise<readonly Finding[]> {
    const stopped = aborted(this.#signal);
    const performed = this.#perform();
    try {
      const interrupted = stopped.then((): never => {
        // True: whoever aborts gives an error as the reason.
        throw this.#signal.reason as Error;
      });
      const findings = await Promise.race([performed, this.#stage.broken, interrupted]);
      if (this.#options.keep) await Promise.race([this.#stage.broken, stopped]);
      return findings;
    } catch (error) {
      this.#over.abort();
      await this.#stage.stop();
      // What it says by now is only that it was interrupted.
      await performed.catch(() => {});
      throw error;
    }
  }

  async #perform(): Promise<readonly Finding[]> {
    const url = await this.#start();
    const inspector = inspectorOf(app.broker.inspector);
    const [held] = await Promise.all([this.#work(url, inspector), this.#watch(inspector)]);
    this.#screen.endProgress();
    return await this.#judge(inspector, held, url);
  }

  /** From the first request to the empty queue. Answers what the killed worker held. */
  async #work(url: string, inspector: QueueInspector): Promise<readonly string[]> {
    const sending = sendRequests({
      url,
      count: this.#options.events,
      concurrency,
      mix: new RequestMix(),
      signal: this.#over.signal,
      onAnswer: (sent) => this.#requests.push(sent),
    });
    const [held] = await Promise.all([this.#disturb(inspector), sending, this.#tick(inspector)]);
    await this.#drained(inspector);
    this.#isDrained = true;
    return held;
  }

  /** The cron processes, whose first tick may take a second; then service and both workers, at the same time. */
  async #start(): Promise<string> {
    const startedAt = performance.now();
    this.#crons.push(...(await Promise.all([this.#stage.startCron("c1"), this.#stage.startCron("c2")])));
    const starts = [this.#stage.startWorker("w1"), this.#stage.startWorker("w2")];
    const [url, ...workers] = await Promise.all([this.#stage.startService(), ...starts]);
    this.#workers.push(...workers);
    const names = this.#workers.map(({ child }) => `${child.name} (pid ${child.pid})`);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    this.#screen.line(`  service on ${url}, workers ${names.join(" and ")}: ready in ${seconds} s`);
    this.#screen.line(`  sending ${this.#options.events.toLocaleString("en-US")} requests, ${concurrency} at a time`);
    return url;
  }

  /** The two misfortunes: the database is away for a moment, and a worker dies. Answers what the dead worker held. */
  async #disturb(inspector: QueueInspector): Promise<readonly string[]> {
    await this.#progressed(outageAt);
    const awayMs = await lockEventDatabase(this.#events, () => this.#retried());
    this.#screen.line(`  the event database was locked for ${Math.round(awayMs)} ms: tasks that needed it are retried`);
    await this.#progressed(killAt);
    const [victim] = this.#workers;
    if (victim === undefined) throw new Error("the workers have been started");
    this.#stage.dismiss(victim.child);
    const held = await killWhileHolding({
      worker: victim,
      inspector,
      queue,
      events: this.#events,
      leavesTrace: (message) => this.#isToBeSaved(message),
      giveUp: () => this.#isDone() || this.#over.signal.aborted,
    });
    const replacement = await this.#stage.startWorker("w3");
    this.#workers.push(replacement);
    this.#screen.line(
      `  ${victim.child.name} was killed (SIGKILL) while it held ${held.length} ${held.length === 1 ? "task" : "tasks"}; w3 (pid ${replacement.child.pid}) took its place`,
    );
    return held;
  }

  /** The schedule and its misfortune: of two cron processes, one dies. Resolves when the other one has gone on, and no tick is on its way any more. */
  async #tick(inspector: QueueInspector): Promise<void> {
    const [first, second] = this.#crons;
    if (first === undefined || second === undefined) throw new Error("the cron processes have been started");
    await this.#ticked(({ length }) => length > 0);
    this.#stage.dismiss(first.child);
    first.child.signal("SIGKILL");
    await first.child.exited;
    const killedAt = Date.now();
    this.#screen.line(
      `  of the cron processes c1 and c2 (pid ${second.child.pid}), c1 was killed (SIGKILL): c2 sends every tick now`,
    );
    await this.#ticked((times) => Math.max(...times) > killedAt);
    await this.#ticked(
      async () => (await this.#events.expiries()).reduce((sum, one) => sum + one.expired, 0) >= oldEvents,
    );
    await app.schedules.pause(schedule);
    while ((await leftIn(inspector, tickQueue)) > 0) await wait(20, undefined, { signal: this.#over.signal });
  }

  /** Resolves when this is true of the ticks that were worked off. */
  async #ticked(isEnough: (times: readonly number[]) => boolean | Promise<boolean>): Promise<void> {
    const startedAt = performance.now();
    for (;;) {
      const expiries = await this.#events.expiries();
      const times = expiries.map(({ messageId }) => Date.parse(messageId.replace(`cron:${schedule}:`, "")));
      if (await isEnough(times)) return;
      if (performance.now() - startedAt > stuckMs) throw new Error(`no tick has come for ${stuckMs / 1000} s`);
      await wait(20, undefined, { signal: this.#over.signal });
    }
  }

  /** What is ignored or dies leaves no record of its deliveries. */
  #isToBeSaved({ body }: BrokerMessage): boolean {
    // Celery's body, and the only argument of the only task.
    const [, { eventId }] = JSON.parse(Buffer.from(body).toString()) as [unknown, { readonly eventId: string }];
    return this.#requests.some((request) => request.eventId === eventId && request.expected === "saved");
  }

  /** Keeps the figures fresh and shows them, until the work is done. */
  async #watch(inspector: QueueInspector): Promise<void> {
    while (!this.#isDrained && !this.#over.signal.aborted) {
      this.#saved = await this.#events.count();
      this.#left = await leftIn(inspector, queue);
      const running = this.#workers.filter(({ child }) => child.isRunning).length;
      const sent = `sent ${this.#requests.length} of ${this.#options.events}`;
      this.#screen.progress(
        `  ${sent}  waiting ${this.#left}  saved ${this.#saved}  retried ${this.#retried()}  workers ${running}`,
      );
      await wait(25);
    }
  }

  /** Resolves when this share of the requests has been worked off. */
  async #progressed(share: number): Promise<void> {
    const enough = share * this.#options.events;
    while (this.#requests.length - this.#left < enough) await wait(5, undefined, { signal: this.#over.signal });
  }

  #isDone(): boolean {
    return this.#requests.length === this.#options.events && this.#left === 0;
  }

  /** Resolves when the queue is empty. @throws Error when nothing moves any more */
  async #drained(inspector: QueueInspector): Promise<void> {
    let before = "";
    let changedAt = performance.now();
    while ((await leftIn(inspector, queue)) > 0) {
      const now = `${this.#saved} ${this.#left}`;
      if (now !== before) changedAt = performance.now();
      before = now;
      if (performance.now() - changedAt > stuckMs) {
        throw new Error(`nothing has moved for ${stuckMs / 1000} s; ${this.#left} messages are left`);
      }
      await wait(20, undefined, { signal: this.#over.signal });
    }
  }

  async #judge(inspector: QueueInspector, heldByKilled: readonly string[], url: string): Promise<readonly Finding[]> {
    const found = await readEvidence({ events: this.#events, spool: this.#spool, inspector, queue });
    const findings = check({ requests: this.#requests, ...found, heldByKilled, oldEvents });
    if (this.#options.keep) await app.schedules.resume(schedule);
    const latencies = latencyLines(this.#requests, found.saved);
    const hints = this.#options.keep ? keepHints(url) : [];
    for (const line of ["", ...findingsTable(findings), "", ...latencies, ...hints]) this.#screen.line(line);
    return findings;
  }

  /** How often the workers said that they put a message back to be retried. */
  #retried(): number {
    return this.#workers.reduce((sum, { retried }) => sum + retried, 0);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function inspectorOf(inspector: QueueInspector | undefined): QueueInspector {
  if (inspector === undefined) throw new Error("the main job needs a broker that can be inspected");
  return inspector;
}

function keepHints(url: string): readonly string[] {
  return [
    "",
    "  Service and workers go on. In another terminal:",
    `    curl ${url}/api/groups`,
    "    cd apps/demo && npx q status",
    "  Ctrl-C ends them.",
  ];
}
