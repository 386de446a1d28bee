import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { BrokerMessage } from "../src/broker/broker-message.ts";
import type { JsonObject } from "../src/json.ts";

// The system's own Python: another one on the PATH does not see the packages of apt.
const python = "/usr/bin/python3";

/** Whether a Celery worker can be started here. */
export const celeryInstalled: boolean = spawnSync(python, ["-c", "import celery"]).status === 0;

/** The queue that the worker consumes. */
export const queueToPython = "to_python";
/** The queue into which its tasks send. */
export const queueToNode = "to_node";

/** What a Celery task saw when it ran. */
export interface CeleryRun {
  readonly atMs: number;
  readonly args: readonly unknown[];
  readonly kwargs: JsonObject;
  readonly retries: number;
  readonly rootId: string | null;
  readonly parentId: string | null;
  readonly timeLimit: readonly (number | null)[] | null;
  readonly tenant: string | null;
}

/** Kombu's envelope, of which a message file holds one. */
interface Envelope {
  readonly body: string;
  readonly "content-type": string;
  readonly "content-encoding": string;
  readonly headers: JsonObject & { readonly id: string; readonly task: string };
  readonly properties: { readonly priority?: number; readonly reply_to?: string; readonly correlation_id?: string };
}

/** A real Celery worker in a process of its own, with a folder of message files for a broker. */
export class CeleryWorker {
  readonly #folder: string;
  readonly #child: ChildProcess;
  #log = "";

  private constructor(folder: string) {
    this.#folder = folder;
    const flags = [
      "--pool=solo",
      "--loglevel=info",
      `--queues=${queueToPython}`,
      "--without-gossip",
      "--without-mingle",
      "--without-heartbeat",
    ];
    this.#child = spawn(python, ["-m", "celery", "--app=celery-app", "worker", ...flags], {
      cwd: import.meta.dirname,
      // Kombu moves a message through the folder for temporary files.
      env: {
        ...process.env,
        Q_CELERY_FOLDER: folder,
        TMPDIR: join(folder, "taken"),
        C_FORCE_ROOT: "1",
        PYTHONDONTWRITEBYTECODE: "1",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const keep = (text: Buffer): void => void (this.#log += text.toString());
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
  }

  static async start(): Promise<CeleryWorker> {
    const folder = await mkdtemp(join(tmpdir(), "q-celery-"));
    for (const name of ["messages", "runs", "taken"]) await mkdir(join(folder, name));
    const worker = new CeleryWorker(folder);
    try {
      await worker.#until("the worker to be ready", () => (worker.#log.includes(" ready.") ? true : undefined));
    } catch (error) {
      await worker.stop();
      throw error;
    }
    return worker;
  }

  /** Puts a message into the worker's queue as Celery's own producers do. */
  async put(message: BrokerMessage): Promise<void> {
    const { id, queue, priority, headers, properties } = message;
    const envelope = {
      body: Buffer.from(message.body).toString("base64"),
      "content-type": properties.contentType,
      "content-encoding": properties.contentEncoding,
      headers,
      properties: {
        delivery_mode: 2,
        delivery_info: { exchange: "", routing_key: queue },
        priority,
        body_encoding: "base64",
        delivery_tag: id,
      },
    };
    // Written beside and renamed, so that the worker sees a whole file or none.
    const written = join(this.#folder, "taken", `new_${id}`);
    await writeFile(written, JSON.stringify(envelope));
    await rename(written, join(this.#folder, "messages", `0_${id}.${queue}.msg`));
  }

  /** What the run of a task saw; waits for it. */
  runOf(id: string): Promise<CeleryRun> {
    // The file is what celery-app.py writes.
    return this.#until(
      `a run of ${id}`,
      async () => (await readJson(join(this.#folder, "runs", `${id}.json`))) as CeleryRun | undefined,
    );
  }

  async hasRun(id: string): Promise<boolean> {
    return (await readJson(join(this.#folder, "runs", `${id}.json`))) !== undefined;
  }

  /** The next message that a Celery task sent to `queueToNode` for `taskName`; waits for it. */
  sent(taskName: string): Promise<BrokerMessage> {
    return this.#until(`a message for ${taskName}`, async () => {
      const names = await readdir(join(this.#folder, "messages"));
      const files = names
        .filter((name) => name.endsWith(`.${queueToNode}.msg`))
        .map((name) => join(this.#folder, "messages", name));
      for (const file of files) {
        // Kombu writes in place: a half-written file is not JSON yet, and is read again.
        const envelope = (await readJson(file)) as Envelope | undefined;
        if (envelope?.headers.task !== taskName) continue;
        await rm(file);
        return fromEnvelope(envelope);
      }
      return undefined;
    });
  }

  async stop(): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once("close", resolve));
    if (this.#child.kill("SIGKILL")) await exited;
    await rm(this.#folder, { recursive: true });
  }

  async #until<Value>(what: string, look: () => Value | undefined | Promise<Value | undefined>): Promise<Value> {
    const deadline = performance.now() + 15_000;
    while (performance.now() < deadline && this.#child.exitCode === null) {
      const found = await look();
      if (found !== undefined) return found;
      await wait(20);
    }
    throw new Error(`waited in vain for ${what}; the worker said:\n${this.#log}`);
  }
}

function fromEnvelope(envelope: Envelope): BrokerMessage {
  const { correlation_id: correlationId, reply_to: replyTo, priority = 0 } = envelope.properties;
  return {
    id: envelope.headers.id,
    queue: queueToNode,
    priority,
    headers: envelope.headers,
    properties: {
      contentType: envelope["content-type"],
      contentEncoding: envelope["content-encoding"],
      ...(correlationId === undefined ? {} : { correlationId }),
      ...(replyTo === undefined ? {} : { replyTo }),
    },
    body: Buffer.from(envelope.body, "base64"),
  };
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    // Not there yet, or not whole yet.
    return undefined;
  }
}
