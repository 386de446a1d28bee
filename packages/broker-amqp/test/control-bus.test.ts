import { isInstalled } from "@q/test-servers";
import { expect, test } from "vitest";
import { eventually, opened } from "./opened.ts";
import { newVhost } from "./shared-node.ts";

test.skipIf(!isInstalled("rabbitmq-server"))("two that begin to listen at once hear each broadcast once", async () => {
  const { url, admin } = await newVhost("ears");
  const broker = await opened({ url });
  const heard: unknown[] = [];
  const listen = async (name: string): Promise<unknown> =>
    await broker.control?.subscribe("main", ({ text }) => void heard.push([name, text]));
  await Promise.all([listen("one"), listen("other")]);
  await broker.control?.broadcast("main", { text: "hello" });
  await eventually(() => expect(heard.length).toBeGreaterThanOrEqual(2));
  expect(heard).toEqual([
    ["one", "hello"],
    ["other", "hello"],
  ]);
  // Another one would bring all of it once more.
  const queues = await admin.queues("ears");
  expect(queues.map(({ consumers }) => consumers)).toEqual([1]);
});
