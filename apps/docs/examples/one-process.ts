import { sqlite } from "@q/broker-sqlite";
import { createApp, type WorkerEvent } from "@q/core";
import { z } from "zod";

/** Sends and works in one process: for a small program, or one that must not have a second process beside it. */
export async function printPrices(
  url: string,
  prices: readonly number[],
  print: (line: string) => void,
): Promise<void> {
  const app = createApp({ broker: sqlite(url), queues: ["default"] });
  const schema = z.object({ cents: z.number().int(), currency: z.string().default("EUR") });
  const price = app.instrumentedTask({ name: "prices.print", args: schema }, ({ cents, currency }) => {
    print(`${currency} ${(cents / 100).toFixed(2)}`);
  });

  let allDone = (): void => {};
  const done = new Promise<void>((resolve) => (allDone = resolve));
  let waiting = prices.length;
  const worker = app.createWorker({
    onEvent: (event) => {
      if (isEnd(event) && --waiting === 0) allDone();
    },
  });
  await worker.start();
  await Promise.all(prices.map((cents) => price.delay({ cents })));
  await done;
  await worker.stop();
  await app.close();
}

/** Each message has one of these, in the end. */
function isEnd({ type }: WorkerEvent): boolean {
  return type === "task.succeeded" || type === "task.ignored" || type === "task.dead";
}
