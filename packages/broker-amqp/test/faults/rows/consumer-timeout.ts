import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { queue } from "../load.ts";
import type { Row } from "../world.ts";

const consumerTimeoutMs = 8000;

export const consumerTimeout: Row = {
  row: "35",
  name: "a task takes longer than RabbitMQ lets a consumer keep its message: that is said, and the worker goes on",
  why: "the server closes the channel and gives everything back, and a consumer whose channel is gone hears nothing",
  async run(world) {
    const { url, admin } = await world.site();
    const set = (name: string): Promise<string> =>
      admin.evaluate(`application:set_env(rabbit, consumer_timeout, ${name})`);
    const before = /\d+/.exec(await admin.evaluate("application:get_env(rabbit, consumer_timeout)"))?.[0] ?? "";
    // For channels that are opened from now on.
    await set(String(consumerTimeoutMs));
    world.defer(() => set(before));
    const { history } = world;
    const place = { url, queue, broker: { timeout: "10s", consumerTimeout: `${consumerTimeoutMs}ms` } };
    const worker = world.start("worker", place);
    await eventually("it is ready", 30_000, () => history.read().of("ready").length === 1);
    const tasks = { retryEvery: 0, delayEvery: 0 };
    world.start("producer", { ...place, name: "long", count: 1, burst: 1, tasks: { ...tasks, onceMs: 12_000 } });
    const starts = (): readonly (number | undefined)[] =>
      history
        .read()
        .of("start")
        .flatMap(({ id, at }) => (id === "long-0" ? [at] : []));
    await eventually("it has begun", 15_000, () => starts().length === 1);
    await eventually("it is given out once more", 25_000, () => starts().length === 2);
    world.start("producer", { ...place, name: "short", count: 20, tasks });
    await eventually("the worker goes on", 20_000, () => history.read().of("acked").length === 21);
    await worker.stop();
    expect(starts()).toHaveLength(2);
    expect(history.of("aborted").map(({ id }) => id)).toEqual(["long-0"]);
    expect(worker.failure).toBeUndefined();
    // The log names the cause, and the line of the server's configuration that helps.
    expect(worker.output).toMatch(/consumer_timeout/);
  },
};
