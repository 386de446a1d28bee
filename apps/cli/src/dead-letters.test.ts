import { createApp, type App } from "@q/core";
import type { QueueInspector } from "@q/core/broker";
import { memoryBroker } from "@q/core/testing";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { newestDead, deadByIds, type FoundLetter } from "./dead-letters.ts";
import { messageIdOf } from "./message-summary.ts";

let app: App;
let inspector: QueueInspector;

beforeEach(async () => {
  const broker = memoryBroker();
  app = createApp({ broker, queues: ["one", "second"] });
  app.instrumentedTask({ name: "bad", queue: "one" }, () => {
    throw new Error("always");
  });
  app.instrumentedTask({ name: "worse", queue: "second" }, () => {
    throw new Error("always");
  });
  if (broker.inspector === undefined) throw new Error("the memory broker has an inspector");
  inspector = broker.inspector;
  onTestFinished(() => app.close());
  const worker = app.createWorker();
  onTestFinished(() => worker.stop().then(() => {}));
  await worker.start();
  await bury("bad", "aaaaaaaa-1");
  await bury("bad", "aaaaaaaa-2");
  await bury("worse", "bbbbbbbb-1");
});

/** Sends a task, and resolves when it is dead. */
async function bury(task: string, taskId: string): Promise<void> {
  const before = await newestDead(app, inspector, everything);
  await app.sendTask(task, {}, { taskId });
  await vi.waitFor(async () => {
    if ((await newestDead(app, inspector, everything)).length === before.length) throw new Error("it is not dead yet");
  });
}

const everything = { queues: [], limit: Infinity };

function idsOf(found: readonly FoundLetter[]): string[] {
  return found
    .map(({ letter }) => messageIdOf(letter.message) ?? "none")
    .toSorted((one, other) => one.localeCompare(other));
}

describe("newestDead", () => {
  test("lists the dead of every queue", async () => {
    expect(idsOf(await newestDead(app, inspector, everything))).toEqual(["aaaaaaaa-1", "aaaaaaaa-2", "bbbbbbbb-1"]);
  });

  test("filters by queue and by task", async () => {
    expect(idsOf(await newestDead(app, inspector, { ...everything, queues: ["second"] }))).toEqual(["bbbbbbbb-1"]);
    expect(await newestDead(app, inspector, { ...everything, task: "bad" })).toHaveLength(2);
  });

  test("stops at the limit", async () => {
    expect(await newestDead(app, inspector, { ...everything, limit: 2 })).toHaveLength(2);
  });

  test("an unknown queue is an error with a suggestion", async () => {
    await expect(newestDead(app, inspector, { ...everything, queues: ["secnd"] })).rejects.toMatchObject({
      code: "Q2003",
      hint: 'Did you mean "second"?',
    });
  });
});

const toShow = (words: string[]) => deadByIds(app, inspector, { words, queues: [], isChange: false });
const toChange = (words: string[]) => deadByIds(app, inspector, { words, queues: [], isChange: true });

describe("deadByIds", () => {
  test("finds by message id and by entry id", async () => {
    const [found] = await toShow(["bbbbbbbb-1"]);
    expect(found?.queue).toBe("second");
    const again = await toShow([found?.letter.entryId ?? ""]);
    expect(idsOf(again)).toEqual(["bbbbbbbb-1"]);
  });

  test("finds by the first eight characters, and by no fewer", async () => {
    expect(idsOf(await toShow(["aaaaaaaa"]))).toEqual(["aaaaaaaa-1", "aaaaaaaa-2"]);
    expect(idsOf(await toShow(["bbbbbbbb…"]))).toEqual(["bbbbbbbb-1"]);
    await expect(toShow(["aaaaaaa"])).rejects.toMatchObject({ code: "Q2105" });
  });

  test("one id that names nothing fails the whole search", async () => {
    await expect(toShow(["bbbbbbbb-1", "cccccccc-1"])).rejects.toThrow("cccccccc-1");
  });
});

describe("deadByIds before a change", () => {
  test("refuses the first characters of several ids, and names those", async () => {
    await expect(toChange(["bbbbbbbb", "aaaaaaaa"])).rejects.toMatchObject({
      code: "Q2123",
      message: '"aaaaaaaa" is the beginning of 2 ids of dead tasks',
      details: { ids: expect.stringMatching(/^aaaaaaaa-[12], aaaaaaaa-[12]$/) },
    });
    expect(idsOf(await toChange(["bbbbbbbb", "aaaaaaaa-1"]))).toEqual(["aaaaaaaa-1", "bbbbbbbb-1"]);
  });

  test("an id that is also the beginning of another is that one alone", async () => {
    await bury("bad", "aaaaaaaa-12");
    expect(idsOf(await toChange(["aaaaaaaa-1"]))).toEqual(["aaaaaaaa-1"]);
    expect(idsOf(await toShow(["aaaaaaaa-1"]))).toEqual(["aaaaaaaa-1"]);
  });

  test("takes every death of one id", async () => {
    await bury("worse", "bbbbbbbb-1");
    expect(idsOf(await toChange(["bbbbbbbb"]))).toEqual(["bbbbbbbb-1", "bbbbbbbb-1"]);
  });
});
