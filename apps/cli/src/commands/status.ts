import type { Usage } from "clipanion";
import { setTimeout as wait } from "node:timers/promises";
import type { App } from "@q/core";
import type { QueueStats } from "@q/core/broker";
import { BrokerCommand, inspectorOf } from "../app-command.ts";
import { UsageError } from "../cli-errors.ts";
import { exitCode } from "../exit-code.ts";
import { metConditions, parseFailOn } from "../fail-on.ts";
import { flagDurationMs } from "../flag-values.ts";
import { listFlag, optionalValueFlag, valueFlag } from "../flag.ts";
import { selectQueues } from "../known-queues.ts";
import { counted, formatAgo } from "../output/numbers.ts";
import { printable } from "../output/printable.ts";
import type { Column } from "../output/table.ts";
import { pingWorkers, type WorkerReply } from "../ping-workers.ts";
import { gapsNote, queueRow, statusColumns } from "../queue-table.ts";
import { strandedWarning } from "../queue-warnings.ts";

const workerColumns: readonly Column[] = [
  { title: "WORKER", align: "left" },
  { title: "BUSY", align: "right" },
  { title: "PID", align: "right" },
  { title: "STARTED", align: "left" },
  { title: "QUEUES", align: "left", shrinksTo: 10 },
];

interface QueueStatus extends QueueStats {
  /** Attempts that ended in the last minute. `null`: the workers cannot be asked. */
  readonly finishedPerMinute: number | null;
}

interface Status {
  readonly queues: readonly QueueStatus[];
  /** `undefined`: they cannot be asked. */
  readonly workers: readonly WorkerReply[] | undefined;
  /** Why the broker leaves figures out, when it does. */
  readonly note: string | undefined;
}

export class StatusCommand extends BrokerCommand {
  static override readonly paths: string[][] = [["status"]];
  static override readonly usage: Usage = {
    details:
      "Queues from the broker, workers from their own answers, OUT/MIN too: runs that ended in the last minute.\n" +
      "Exits 0 however bad it looks, unless --fail-on says otherwise.\n" +
      "--fail-on compares waiting, oldest, later, running, dead and workers of each queue; exit 1 when one is met.",
    examples: [
      ["one look", "q status"],
      ["every two seconds", "q status --watch"],
      ["for a monitor", "q status --fail-on 'oldest>5m,dead>0' --json"],
    ],
  };

  queues: string[] = listFlag("-Q,--queues", "names", "only these queues");
  watch: string | boolean | undefined = optionalValueFlag("--watch", "duration", "draw again and again, every 2s");
  failOn: string | undefined = valueFlag("--fail-on", "conditions", "exit 1 when one is met: oldest>5m,dead>0");

  async execute(): Promise<number> {
    const conditions = parseFailOn(this.failOn);
    const everyMs =
      this.watch === undefined || this.watch === false
        ? undefined
        : (flagDurationMs("--watch", typeof this.watch === "string" ? this.watch : "2s") ?? 2000);
    if (everyMs === 0) throw new UsageError("Q2103", `--watch is "${String(this.watch)}": expected more than nothing`);
    return this.withBroker(async ({ app }) => {
      for (;;) {
        const status = await this.#look(app);
        this.#show(status, everyMs !== undefined);
        const met = metConditions(conditions, status.queues);
        for (const line of met) this.output.warn(line);
        if (met.length > 0) return exitCode.failed;
        if (everyMs === undefined) return exitCode.done;
        await wait(everyMs);
      }
    });
  }

  async #look(app: App): Promise<Status> {
    const inspector = inspectorOf(app.broker);
    const names = await selectQueues(app, inspector, this.queues);
    const [queues, workers] = await Promise.all([
      Promise.all(names.map((name) => inspector.stats(name))),
      pingWorkers(app.broker),
    ]);
    return {
      queues: queues.map((stats) => ({ ...stats, finishedPerMinute: rateOf(stats.queue, workers) })),
      workers,
      note: gapsNote(inspector, queues),
    };
  }

  #show({ queues, workers, note }: Status, again: boolean): void {
    if (this.json) {
      this.output.json({ queues, workers: workers?.map(documentOf) ?? null });
      return;
    }
    // Home and clear, so that a watched status stays in its place.
    if (again && this.context.terminal.width !== undefined) this.context.stdout.write("\u001b[H\u001b[2J");
    this.output.table(
      statusColumns,
      queues.map((stats) => queueRow(stats, this.output.colors, stats.finishedPerMinute)),
    );
    this.output.text("");
    this.output.text(workersLine(workers));
    this.output.table(
      workerColumns,
      (workers ?? []).map((worker) => this.#workerRow(worker)),
    );
    if (note !== undefined) this.output.note(note);
    for (const stats of queues) {
      const warning = strandedWarning(stats);
      if (warning !== undefined) this.output.warn(`${warning}: q worker -Q ${stats.queue}`);
    }
  }

  #workerRow(worker: WorkerReply): string[] {
    const state = worker.state === "running" || worker.state === "" ? "" : ` (${worker.state})`;
    const queues = [...new Set(worker.queues)].join(", ");
    return [
      printable(worker.worker + state),
      `${worker.busy}/${worker.slots}`,
      String(worker.pid),
      formatAgo(worker.startedAt, Date.now()),
      printable(queues),
    ];
  }
}

function documentOf(worker: WorkerReply): Record<string, unknown> {
  return { ...worker, finishedPerMinute: Object.fromEntries(worker.finishedPerMinute) };
}

function rateOf(queue: string, workers: readonly WorkerReply[] | undefined): number | null {
  if (workers === undefined) return null;
  return workers.reduce((sum, { finishedPerMinute }) => sum + (finishedPerMinute.get(queue) ?? 0), 0);
}

function workersLine(workers: readonly WorkerReply[] | undefined): string {
  if (workers === undefined) return "This broker has no control bus: workers cannot be asked how they are.";
  if (workers.length === 0) return "No worker answered. Start one: q worker";
  const busy = workers.reduce((sum, worker) => sum + worker.busy, 0);
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  return `${counted(workers.length, "worker")}, ${busy} of ${slots} slots busy`;
}
