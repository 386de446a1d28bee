import { randomUUID } from "node:crypto";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  silentLogger,
  tickHeader,
  type BrokerMessage,
  type JsonObject,
  type LogFields,
  type Logger,
  type ScheduleStore,
  type Tick,
} from "@q/core/broker";
import { FakeClock } from "@q/core/testing";
import { Mutant, type Mutation } from "@q/fault-kit";
import { isInstalled, RabbitAdmin } from "@q/test-servers";
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { AmqpBroker } from "../src/amqp-broker.ts";
import { readOptions } from "../src/options.ts";
import { openChannel } from "./channel.ts";
import { message } from "./message.ts";
import { newVhost, sharedNode } from "./shared-node.ts";

const installed = isInstalled("rabbitmq-server");
const queueTypes = ["classic", "quorum"] as const;
const schedulesQueue = "q.schedules";
/** For what RabbitMQ does in its own time. */
const patient = { timeout: 10_000 };
const mutants = { folder: fileURLToPath(new URL("..", import.meta.url)), entries: ["index.ts"] };
const run = promisify(execFile);
const urls = new Map<string, string>();

beforeAll(async () => {
  if (!installed) return;
  for (const queueType of queueTypes) urls.set(queueType, (await newVhost(`schedules-${queueType}`)).url);
});

beforeEach(({ skip }) => {
  skip(!installed, "no RabbitMQ here: apt-get install rabbitmq-server");
});

interface Line {
  readonly level: string;
  readonly fields: LogFields;
  readonly text: string;
}

interface OpenOptions {
  readonly logger?: Logger;
  readonly clock?: FakeClock;
}

describe.each(queueTypes)("on a %s queue", (queueType) => {
  const url = (): string => urls.get(queueType) ?? "";

  /** A queue that nobody has used, and another for the ticks. */
  beforeEach(async () => {
    if (!installed) return;
    const channel = await openChannel({ defer: onTestFinished }, url());
    await channel.deleteQueue(schedulesQueue);
    await channel.deleteQueue("q.schedules.unreadable");
    await channel.deleteQueue("default");
  });

  async function open({ logger = silentLogger, clock }: OpenOptions = {}): Promise<AmqpBroker> {
    const broker = new AmqpBroker(readOptions({ url: url(), queueType, timeout: "10s" }), clock);
    onTestFinished(() => broker.close());
    await broker.open({ logger });
    await broker.declare([{ name: "default", priorities: false }]);
    return broker;
  }

  /** Processes, of which the first keeps the schedules. */
  async function openAll(count: number): Promise<readonly ScheduleStore[]> {
    const stores: ScheduleStore[] = [];
    for (let at = 0; at < count; at += 1) {
      const { schedules } = await open();
      await schedules.list();
      stores.push(schedules);
    }
    return stores;
  }

  const channel = (): ReturnType<typeof openChannel> => openChannel({ defer: onTestFinished }, url());

  /** Ids of the ticks in the queue. */
  async function sent(): Promise<readonly string[]> {
    const looking = await channel();
    const ids: string[] = [];
    for (;;) {
      const found = await looking.get("default");
      if (found === false) return ids;
      ids.push(String(found.properties.headers?.["id"]));
    }
  }

  async function put(content: string | Buffer, type?: string): Promise<void> {
    const writing = await channel();
    const options = type === undefined ? {} : { type, messageId: randomUUID() };
    writing.sendToQueue(schedulesQueue, Buffer.from(content), { persistent: true, ...options });
    await writing.waitForConfirms();
  }

  test("processes that do not keep the schedules change and see them, all at once", async () => {
    const stores = await openAll(3);
    const names = Array.from({ length: 30 }, (_, at) => `s${String(at).padStart(2, "0")}`);
    await Promise.all(names.map(async (name, at) => stores[at % 3]?.put(name, { every: `${at + 1}s` })));
    const even = names.filter((_, at) => at % 2 === 0);
    await Promise.all(even.map(async (name, at) => stores[at % 3]?.setPaused(name, true)));
    expect(await stores[1]?.remove("s29")).toBe(true);
    expect(await stores[2]?.remove("s29")).toBe(false);
    const expected = names.slice(0, -1).map((name, at) => {
      return { name, entry: { every: `${at + 1}s` }, paused: at % 2 === 0, lastTick: null };
    });
    for (const store of stores) expect(await store.list()).toEqual(expected);
    const [, second] = stores;
    expect(await second?.fire(tick(1000, { name: "s00" }))).toBe("paused");
    expect(await second?.fire(tick(1000, { name: "s29", isStored: true }))).toBe("gone");
    expect(await second?.fire(tick(1000, { name: "s01", isStored: true }))).toBe("fired");
  });

  test("the clock of the process that keeps the schedules is everybody's", async () => {
    const keeper = await open({ clock: new FakeClock({ now: 5_000_000 }) });
    await keeper.schedules.list();
    const { schedules } = await open();
    expect(await schedules.now()).toBe(5_000_000);
    expect(await schedules.fire(tick(5_000_501))).toBe("early");
    expect(await schedules.fire(tick(5_000_500))).toBe("fired");
  });

  test("when the server closes their connections, another keeps the schedules and sends nothing twice", async () => {
    const stores = await openAll(3);
    for (const at of [1000, 2000, 3000]) {
      await new RabbitAdmin(sharedNode()).command("close_all_connections", "--vhost", `schedules-${queueType}`, "test");
      // All of them at once, as cron processes do.
      const answers = await Promise.all(stores.map((store) => store.fire(tick(at))));
      expect(answers.filter((answer) => answer === "fired")).toHaveLength(1);
      for (const store of stores) expect(await store.fire(tick(at))).toBe("already");
    }
    expect(await sent()).toEqual(["at 1000", "at 2000", "at 3000"]);
    // Each of the server's commands starts an Erlang machine of its own.
  }, 90_000);

  test("when the one that keeps them leaves, nothing of what it knew is lost", async () => {
    for (let at = 1000; at < 11_000; at += 1000) {
      const [first, second] = [await open(), await open()];
      expect(await first.schedules.fire(tick(at))).toBe("fired");
      const waiting = Array.from({ length: 5 }, (_, number) =>
        second.schedules.setPaused(`p${number}`, at % 2000 === 0),
      );
      await first.close();
      await Promise.all(waiting);
      expect((await second.schedules.list()).map(({ name, lastTick, paused }) => [name, lastTick, paused])).toEqual([
        ["a", at, false],
        ...waiting.map((_, number) => [`p${number}`, null, at % 2000 === 0]),
      ]);
      await second.close();
    }
  });

  /** A process that dies at a line of the adapter. */
  async function dieAt({ from }: Pick<Mutation, "from">, headers: JsonObject = {}): Promise<void> {
    const to = `process.kill(process.pid, "SIGKILL");\n${from}`;
    const mutant = await Mutant.build({ name: "dies", file: "schedule-keeper.ts", from, to }, mutants);
    onTestFinished(() => mutant.remove());
    const plain = message("at 2000", "default", { body: "[[], {}, {}]" });
    const asText = { ...plain, headers: { ...plain.headers, ...headers } };
    const orders = { module: mutant.module, url: url(), tick: tick(2000, { message: asText }) };
    const program = fileURLToPath(new URL("fixtures/fire.mjs", import.meta.url));
    await expect(run(process.execPath, [program, JSON.stringify(orders)])).rejects.toMatchObject({ signal: "SIGKILL" });
  }

  test("one that is killed between sending a tick and recording it leaves one more with the same id, and no other", async () => {
    const first = await open();
    expect(await first.schedules.fire(tick(1000))).toBe("fired");
    await first.close();
    await dieAt({ from: "    await this.#store(state, recorded);" });
    // What was asked of it is asked of the next one.
    const { schedules } = await open();
    expect(await schedules.list()).toMatchObject([{ lastTick: 2000 }]);
    expect(await schedules.fire(tick(2000))).toBe("already");
    expect(await sent()).toEqual(["at 1000", "at 2000", "at 2000"]);
  });

  test("of the two messages of such a tick one counts, whoever is asked and how often it is handed out", async () => {
    const first = await open();
    expect(await first.schedules.fire(tick(1000))).toBe("fired");
    await first.close();
    await dieAt({ from: "    await this.#store(state, recorded);" }, { [tickHeader]: 2000 });
    const { schedules } = await open();
    await schedules.list();
    const found: BrokerMessage[] = [];
    for (let worker = 0; worker < 2; worker += 1) {
      const broker = await open();
      await broker.consume(["default"], { prefetch: 10 }, (delivery) => {
        if (!("malformed" in delivery.message)) found.push(delivery.message);
      });
      await expect.poll(() => found.length).toBe(3 * (worker + 1));
      await broker.close();
    }
    const asked = found.filter(({ id }) => id === "at 2000");
    const counted: BrokerMessage[] = [];
    for (const one of asked) if (await schedules.counts?.({ name: "a", at: 2000 }, one)) counted.push(one);
    expect(asked).toHaveLength(4);
    expect(counted).toHaveLength(2);
    expect(counted[0]?.headers).toEqual(counted[1]?.headers);
  });

  test("of one that is killed between recording a tick and letting go of the state before, the newer state counts", async () => {
    const first = await open();
    expect(await first.schedules.fire(tick(1000))).toBe("fired");
    await first.close();
    await dieAt({ from: "    this.#storing = undefined;" });
    const second = await open();
    const looking = await channel();
    await expect.poll(async () => (await looking.checkQueue(schedulesQueue)).messageCount, patient).toBeGreaterThan(1);
    expect(await second.schedules.fire(tick(2000))).toBe("already");
    await second.close();
    expect(await sent()).toEqual(["at 1000", "at 2000"]);
    await expect.poll(async () => (await looking.checkQueue(schedulesQueue)).messageCount, patient).toBe(1);
  });

  test("a queue that is deleted under them is made again, with all that was in it", async () => {
    const stores = await openAll(3);
    await stores[0]?.put("a", { every: "1s" });
    await stores[1]?.setPaused("b", true);
    await stores[2]?.fire(tick(1000));
    const before = await stores[0]?.list();
    const deleting = await channel();
    for (const round of [1, 2, 3]) {
      await deleting.deleteQueue(schedulesQueue);
      for (const store of stores) await expect.poll(() => store.list(), { timeout: 10_000 }).toEqual(before);
      expect(await stores[round % 3]?.fire(tick(1000))).toBe("already");
    }
  });

  test("a state that cannot be read stops them, stays as it is, and is told of with what to do", async () => {
    const junk = '{"format":1,"version":7,"schedules":{}}';
    const looking = await channel();
    const lines: Line[] = [];
    for (const type of ["q.state", undefined]) {
      // Somebody has made it, and knew nothing yet.
      const before = await open();
      await before.schedules.list();
      await before.close();
      await looking.purgeQueue(schedulesQueue);
      await put(junk, type);
      const broker = await open({ logger: recording(lines) });
      await expect(broker.schedules.list()).rejects.toMatchObject({ code: "Q1027" });
      await expect(broker.schedules.fire(tick(1000))).rejects.toMatchObject({ code: "Q1027", name: "PublishRejected" });
      expect(lines.find(({ level }) => level === "error")?.fields["err"]).toMatchObject({ code: "Q1027" });
      await expect.poll(async () => (await looking.checkQueue(schedulesQueue)).messageCount, patient).toBe(1);
      await looking.purgeQueue(schedulesQueue);
      expect(await broker.schedules.list()).toEqual([]);
      expect(await broker.schedules.fire(tick(1000))).toBe("fired");
      await broker.close();
    }
    expect(await sent()).toEqual(["at 1000", "at 1000"]);
  });

  test("what cannot be read beside a state is moved aside with its bytes, and told of", async () => {
    const lines: Line[] = [];
    const { schedules } = await open({ logger: recording(lines) });
    await schedules.setPaused("a", true);
    const junk = [Buffer.from([0, 255, 1]), Buffer.from("{}"), Buffer.from('{"kind":"steal"}')];
    const types = [undefined, "q.state", "q.request"];
    for (const [at, content] of junk.entries()) await put(content, types[at]);
    await expect.poll(() => lines.filter(({ level }) => level === "error").length).toBe(junk.length);
    expect(await schedules.list()).toMatchObject([{ name: "a", paused: true }]);
    const looking = await channel();
    for (const content of junk) expect(await looking.get("q.schedules.unreadable")).toMatchObject({ content });
  });

  test("a queue that is given to several at once is refused", async () => {
    await (await channel()).assertQueue(schedulesQueue, { durable: true, arguments: { "x-queue-type": queueType } });
    const { schedules } = await open();
    await expect(schedules.list()).rejects.toMatchObject({
      code: "Q1004",
      message: expect.stringContaining("x-single-active-consumer"),
    });
  });

  test("a tick to a queue that was deleted makes it again, whoever keeps the schedules", async () => {
    const [, second] = await openAll(2);
    await (await channel()).deleteQueue("default");
    expect(await second?.fire(tick(1000))).toBe("fired");
    expect(await sent()).toEqual(["at 1000"]);
  });

  test("what is held for long is stored anew, and a process that asks no more leaves it to others", async () => {
    const clock = new FakeClock({ now: 10_000 });
    const { schedules } = await open({ clock });
    await schedules.setPaused("a", true);
    const looking = await channel();
    const waiting = async (): Promise<number> => (await looking.checkQueue(schedulesQueue)).messageCount;
    expect(await waiting()).toBe(0);
    // The server takes back what is held for half an hour.
    for (let passed = 0; passed < 11 * 60; passed += 10) {
      await clock.advance("10s");
      await schedules.list();
    }
    await clock.advance("45s");
    await expect.poll(waiting).toBe(1);
    // It cannot be got, but consumed.
    const found = await new Promise<string>((resolve) => {
      void looking.consume(schedulesQueue, (one) => resolve(one === null ? "" : one.content.toString()));
    });
    expect(JSON.parse(found)).toMatchObject({ version: 2 });
    await looking.close();
    expect(await schedules.list()).toMatchObject([{ name: "a", paused: true }]);
  });

  test("each vhost has its own", async () => {
    const elsewhere = urls.get(queueType === "quorum" ? "classic" : "quorum") ?? "";
    const other = new AmqpBroker(readOptions({ url: elsewhere }));
    onTestFinished(() => other.close());
    await other.open({ logger: silentLogger });
    const { schedules } = await open();
    const name = randomUUID();
    await schedules.put(name, { every: "1s" });
    expect((await other.schedules.list()).filter((one) => one.name === name)).toEqual([]);
  });
});

function tick(at: number, changes: Partial<Tick> = {}): Tick {
  return { name: "a", at, queue: "default", message: message(`at ${at}`, "default"), isStored: false, ...changes };
}

function recording(lines: Line[]): Logger {
  const keep =
    (level: string) =>
    (fields: LogFields, text: string): void =>
      void lines.push({ level, fields, text });
  const logger: Logger = {
    debug: keep("debug"),
    info: keep("info"),
    warn: keep("warn"),
    error: keep("error"),
    child: () => logger,
  };
  return logger;
}
