import { eventually } from "@q/fault-kit";
import { expect } from "vitest";
import { encodeEnvelope } from "../../../src/envelope.ts";
import { queueKeys } from "../../../src/keys.ts";
import { census } from "../census.ts";
import { adminOf, queue } from "../load.ts";
import type { Row } from "../world.ts";

export const lateLanding: Row = {
  row: "7",
  name: "a message that lands for a worker after it was buried comes out of the grave, and runs once",
  why: "Redis still waits in the name of a worker whose lease is gone, and gives it the next message",
  async run(world) {
    const server = await world.server();
    const admin = adminOf(server);
    const { grave } = queueKeys(queue, "");
    const orders = { url: server.url, queue, broker: { lease: "2s" } };
    const { history } = world;
    const isReady = (pid: number) => () => history.read().of("ready", { pid }).length > 0;
    const isWaiting = async (): Promise<boolean> =>
      Number(/blocked_clients:(\d+)/.exec(String(await admin("info", "clients")))?.[1]) > 0;
    const buried = world.start("worker", orders);
    await eventually("the first worker waits", 10_000, isWaiting);
    buried.freeze();
    const other = world.start("worker", orders);
    await eventually("the first worker is buried", 10_000, async () => Number(await admin("zcard", grave)) > 0);
    await eventually("the second worker is ready", 10_000, isReady(other.pid));

    other.freeze();
    await admin("lpush", queue, message("late"));
    // Before that one can look into the graves.
    expect((await census(admin, queue)).get("late")).toEqual(["landing"]);
    other.thaw();
    await eventually("the late message ran", 3000, () => history.read().of("acked").length === 1);
    expect(history.of("start").map(({ id, pid }) => [id, pid])).toEqual([["late", other.pid]]);

    buried.thaw();
    other.freeze();
    await eventually("the buried one works again", 10_000, async () => {
      await admin("lpush", queue, message(`next-${Date.now()}`));
      return history.read().of("acked", { pid: buried.pid }).length > 0;
    });
    other.thaw();
    await Promise.all([buried.stop(), other.stop()]);
    expect(
      history
        .read()
        .of("start")
        .filter(({ id }) => id === "late"),
    ).toHaveLength(1);
  },
};

function message(id: string): string {
  const headers = { lang: "js", task: "load.work", id, root_id: id, retries: 0 };
  const properties = { contentType: "application/json", contentEncoding: "utf-8", correlationId: id };
  const body = Buffer.from(JSON.stringify([[], {}, {}]));
  return encodeEnvelope({ id, queue, priority: 0, headers, properties, body }, { deliveryTag: id, priorities: false })
    .text;
}
