import type { App, JsonObject, SendOptions, TaskContext, Worker } from "@q/core";
import { isInstalled, RedisServer } from "@q/test-servers";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { celeryInstalled, CeleryWorker, PythonService } from "./celery-processes.ts";
import { Inbox } from "./inbox.ts";

/** What a run here, or one in Python, saw. */
interface Run {
  readonly atMs: number;
  readonly args: unknown;
  readonly retries: number;
  readonly headers: JsonObject;
}

interface PythonRun {
  readonly atMs: number;
  readonly args: readonly unknown[];
  readonly kwargs: JsonObject;
  readonly retries: number;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly timeLimit: readonly (number | null)[] | null;
  readonly tenant: string | null;
  readonly redelivered: boolean;
}

/** One broker, which both sides use. */
export interface InteropSite {
  /** As Celery writes it. */
  readonly broker: string;
  /** Not yet open. All its queues are Celery's as well. */
  createApp(queues: readonly string[]): App;
  /** What Celery would not accept of what we have put into a queue. */
  complaints?(queue: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface InteropOptions {
  /** Without which the broker cannot be started. */
  readonly programs: readonly string[];
  /** Whether the broker stores a message at most once per key. */
  readonly once: boolean;
  /** @param notes a Redis server that stops by itself, which may be the broker */
  start(notes: RedisServer): Promise<InteropSite>;
}

const queues = ["to_node", "to_python", "only_python", "handed_over"];

/** Makes tests of q and real Celery on the same queues of a broker, in both directions. */
export function testInterop({ programs, once, start }: InteropOptions): void {
  const missing = programs.filter((program) => !isInstalled(program));
  const runs = new Inbox<Run>();
  const expired = new Inbox<true>();
  let notes: RedisServer;
  let site: InteropSite;
  let celery: CeleryWorker;
  let python: PythonService;
  let app: App;
  let worker: Worker;

  const keep = (args: unknown, { id, retries, headers }: TaskContext): void =>
    runs.put(id, { atMs: Date.now(), args, retries, headers });

  function declareTasks(): void {
    app.instrumentedTask({ name: "node.report" }, keep);
    app.instrumentedTask({ name: "node.positional", positional: ["eventId", "count"] }, keep);
    app.instrumentedTask({ name: "python.retry_elsewhere" }, keep);
    app.instrumentedTask({ name: "node.retry_once" }, (args, ctx) => {
      if (ctx.retries === 0) throw ctx.retry({ delay: "10ms" });
      keep(args, ctx);
    });
  }

  beforeAll(async () => {
    if (!celeryInstalled || missing.length > 0) return;
    notes = await RedisServer.start();
    site = await start(notes);
    const place = { broker: site.broker, notes: notes.url };
    python = new PythonService(place);
    celery = await CeleryWorker.start(place, { queues: ["to_python", "only_python"] });
    app = site.createApp(queues);
    declareTasks();
    worker = app.createWorker({
      queues: ["to_node"],
      onEvent: (event) => {
        if (event.type === "task.expired") expired.put(event.id, true);
      },
    });
    await worker.start();
  });

  beforeEach(({ skip }) => {
    skip(!celeryInstalled, "no Celery here: apt-get install python3-celery python3-redis");
    skip(missing.length > 0, `not here: ${missing.join(", ")}`);
  });

  afterAll(async () => {
    if (!celeryInstalled || missing.length > 0) return;
    await worker.stop();
    await app.close();
    await python.stop();
    await celery.stop();
    await site.stop();
    await notes.stop();
  });

  /** What a run in Python saw; waits for it. */
  async function runInPython(id: string): Promise<PythonRun> {
    // A worker of Celery may hear of what it has given back ten seconds later, when it looks again by itself.
    for (let wait = 0; wait < 3; wait += 1) {
      const found = (await notes.command("BLPOP", `run:${id}`, 9)) as [key: string, text: string] | null;
      if (found !== null) return JSON.parse(found[1]) as PythonRun; // what celery-app.py writes
    }
    throw new Error(`waited in vain for a run of ${id}; the worker said:\n${celery.log}`);
  }

  describe("a task that Python sends runs here", () => {
    test("with its named arguments: text of any language, nested values, and what only Python's JSON has", async () => {
      const id = await python.sends(
        `node_report.delay(eventId="e1", größe="日本語 🙂", text='\\\\ " \\n \\x00 \\u2028', none=None, nested={"list": [1, 2.5, True, [[]], ""]},
        missing=float("nan"), far=float("-inf"), big=2**70, at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc))`.replaceAll(
          "\n",
          " ",
        ),
      );
      expect((await runs.take(id)).args).toEqual({
        eventId: "e1",
        größe: "日本語 🙂",
        text: '\\ " \n \u0000 \u2028',
        none: null,
        nested: { list: [1, 2.5, true, [[]], ""] },
        missing: Number.NaN,
        far: -Infinity,
        big: 2n ** 70n,
        at: expect.stringMatching(/^2026-01-02T03:04:05/) as unknown,
      });
    });

    test("with its positional arguments by the names that the task gives them", async () => {
      const id = await python.sends(`node_positional.delay("e1", 3)`);
      expect((await runs.take(id)).args).toEqual({ eventId: "e1", count: 3 });
    });

    test("when it is sent by its name alone, compressed", async () => {
      const id = await python.sends(
        `app.send_task("node.report", kwargs={"text": "long" * 1000}, queue="to_node", compression="gzip")`,
      );
      expect((await runs.take(id)).args).toEqual({ text: "long".repeat(1000) });
    });

    test("with its headers", async () => {
      const id = await python.sends(`node_report.apply_async(headers={"tenant": "t1", "trace": {"span": [1, 2]}})`);
      expect((await runs.take(id)).headers).toEqual({ tenant: "t1", trace: { span: [1, 2] } });
    });

    test("not before its countdown or its eta is over", async () => {
      const beforeMs = Date.now();
      const ids = await Promise.all([
        python.sends(`node_report.apply_async(countdown=0.8)`),
        python.sends(`node_report.apply_async(eta=datetime.now(timezone.utc) + timedelta(seconds=0.8))`),
      ]);
      for (const id of ids) expect((await runs.take(id)).atMs).toBeGreaterThanOrEqual(beforeMs + 800);
    });

    test("but not when it has expired", async () => {
      const late = await python.sends(`node_report.apply_async(expires=-1)`);
      const inTime = await python.sends(`node_report.apply_async(expires=60)`);
      await runs.take(inTime);
      await expired.take(late);
      expect(runs.has(late)).toBe(false);
    });

    test("again after a retry, with the same id and headers", async () => {
      const id = await python.sends(`node_retry_once.apply_async(kwargs={"eventId": "e1"}, headers={"tenant": "t1"})`);
      expect(await runs.take(id)).toMatchObject({ args: { eventId: "e1" }, retries: 1, headers: { tenant: "t1" } });
    });

    test("when a Python worker has retried it into our queue", async () => {
      const { id } = await app.sendTask("python.retry_elsewhere", { eventId: "e1" }, { queue: "to_python" });
      expect(await runs.take(id)).toMatchObject({ args: { eventId: "e1" }, retries: 1 });
    });
  });

  describe("a task that we send runs in Python", () => {
    const toPython = (task: string, args: object, options: SendOptions = {}): Promise<string> =>
      app.sendTask(`python.${task}`, args, { queue: "to_python", ...options }).then(({ id }) => id);

    test("with its named arguments", async () => {
      const args = {
        eventId: "e1",
        größe: "日本語 🙂",
        nested: { list: [1, 2.5, true, null, [[]], ""] },
        'quote"': "\\ \n \u0000 \u2028",
      };
      const id = await toPython("report", args);
      expect(await runInPython(id)).toMatchObject({ args: [], kwargs: args, retries: 0, parentId: null });
    });

    test("with its positional arguments", async () => {
      const id = await toPython("report", [1, "two", { three: [3] }]);
      expect(await runInPython(id)).toMatchObject({ args: [1, "two", { three: [3] }], kwargs: {} });
    });

    test("with its headers and time limits", async () => {
      const options = { headers: { tenant: "t1" }, timeLimit: "30s", softTimeLimit: "20s" } as const;
      const id = await toPython("report", {}, options);
      expect(await runInPython(id)).toMatchObject({ tenant: "t1", timeLimit: [30, 20] });
    });

    test("not before its countdown or its eta is over, though no worker of ours is there", async () => {
      const etaMs = Date.now() + 1000;
      const queue = "only_python";
      const ids = await Promise.all([
        toPython("report", {}, { queue, countdown: "1s" }),
        toPython("report", {}, { queue, eta: new Date(etaMs) }),
        ...(once ? [toPython("report", {}, { queue, countdown: "1s", key: "once" })] : []),
      ]);
      for (const id of ids) expect((await runInPython(id)).atMs).toBeGreaterThanOrEqual(etaMs);
    });

    test("but not when it has expired", async () => {
      const late = await toPython("report", {}, { expires: new Date(Date.now() - 1000) });
      await runInPython(await toPython("report", {}, { expires: "1m" }));
      expect(await notes.command("EXISTS", `run:${late}`)).toBe(0);
    });

    test("again after a retry, as the same task", async () => {
      const id = await toPython("retry_once", { eventId: "e1" });
      expect(await runInPython(id)).toMatchObject({ kwargs: { eventId: "e1" }, retries: 1, rootId: id, parentId: id });
    });

    test("again when its worker has given it back", async () => {
      const id = await toPython("give_back_once", { eventId: "e1" });
      expect(await runInPython(id)).toMatchObject({ kwargs: { eventId: "e1" }, retries: 0, redelivered: true });
    });
  });

  test("a chain of Python's goes on in Python after a retry here: nothing of its message was lost", async () => {
    const retried = new Inbox<true>();
    const first = app.createWorker({
      queues: ["handed_over"],
      onEvent: (event) => {
        if (event.type === "task.retried") retried.put(event.id, true);
      },
    });
    app.instrumentedTask({ name: "shared.step", positional: ["value"] }, (_args, ctx) => {
      // It takes nothing more, and so what it puts back is for Python.
      void first.stop();
      throw ctx.retry({ delay: "0ms" });
    });
    const [stepId = "", nextId = ""] = (await python.says(
      `(lambda last: [last.parent.id, last.id])(chain(step.s(7).set(queue="handed_over", headers={"tenant": "t1"}), report.s("next"))())`,
    )) as string[];
    await first.start();
    await retried.take(stepId);
    await first.stop();
    expect((await site.complaints?.("handed_over")) ?? []).toEqual([]);
    await python.says(`app.control.add_consumer("handed_over", reply=True, limit=1, timeout=9)`);
    expect(await runInPython(stepId)).toMatchObject({ args: [7], retries: 1, parentId: stepId, tenant: "t1" });
    expect(await runInPython(nextId)).toMatchObject({
      args: ["from Python", "next"],
      rootId: stepId,
      parentId: stepId,
    });
  });
}
