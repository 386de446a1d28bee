import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { createApp, type App, type Middleware } from "./index.ts";
import { testApp } from "./testing/index.ts";

/** Keeps everything that comes to it until it is opened. */
class Gate {
  open = (): void => {};
  readonly #opened = new Promise<void>((resolve) => (this.open = resolve));

  async pass(): Promise<true> {
    await this.#opened;
    return true;
  }
}

test.each(["an asynchronous schema", "middleware"])("of what %s keeps, few are in memory at a time", async (keeper) => {
  const gate = new Gate();
  const slow: Middleware = {
    name: "slow",
    send: async (_context, next) => {
      await gate.pass();
      await next();
    },
  };
  const app: App = createApp({ queues: ["default"], middleware: keeper === "middleware" ? [slow] : [] });
  const t = testApp(app);
  const args = keeper === "middleware" ? z.object({}) : z.object({}).refine(() => gate.pass());
  const task = app.instrumentedTask({ name: "t.bulk", args }, () => {});
  let read = 0;
  const input = function* () {
    for (; read < 10_000; read += 1) yield task.signature({});
  };
  const sending = app.sendMany(input());
  for (let turns = 0; turns < 20; turns += 1) await turn();
  expect(read).toBeLessThan(3000);
  gate.open();
  expect(await sending).toHaveLength(10_000);
  expect(t.messageCount).toBe(10_000);
  await t.close();
});
