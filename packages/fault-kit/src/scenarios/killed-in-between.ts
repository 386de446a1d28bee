import type { TcpProxy } from "@q/test-servers";
import { expect } from "vitest";
import { eventually } from "../eventually.ts";
import type { History } from "../history.ts";
import type { Load } from "../load.ts";

const each = 5;

/** Workers are killed when they have got a message, before it starts: it runs once. */
export async function killAfterClaim(load: Load): Promise<void> {
  const claimers = Array.from({ length: each }, () => load.startClaimer());
  await Promise.all(claimers.map(({ exited }) => exited));
  expect(load.history.read().of("claimed")).toHaveLength(each);
  const { duplicates } = await load.finish();
  expect(duplicates).toBe(0);
}

/**
 * Workers are killed when a task has ended, before they can say so: it runs once more, and not again.
 * @param atHand messages that one worker may hold
 */
export async function killAfterRun(load: Load, atHand: number): Promise<void> {
  const tasks = { mostMs: 0, retryEvery: 0, delayEvery: 0, kills: "done" };
  const deadly = load.startProducer("deadly", { count: each, tasks });
  await deadly.exited;
  const ended = (): number =>
    load.history
      .read()
      .of("acked")
      .filter(({ id }) => id?.startsWith("deadly")).length;
  await eventually("the deadly ones are acknowledged", 20_000, () => ended() === each);
  await load.fullStrength();
  const { duplicates } = await load.finish();
  const runs = Array.from({ length: each }, (_, number) => runsOf(load.history, `deadly-${number}`));
  // Those beside the first one are suspects when they run, and kill no more.
  expect(Math.max(...runs)).toBe(2);
  expect(duplicates).toBeLessThanOrEqual(load.fleet.deaths * atHand);
}

/**
 * A producer is killed after its messages were stored, before it hears so: they run once.
 * @param url of the broker, through the proxy
 */
export async function killBeforeAnswer(load: Load, proxy: TcpProxy, url: string): Promise<void> {
  const { history } = load;
  const deaf = load.startProducer("deaf", { url, tasks: { delayEvery: 0 } });
  await eventually("it sends", 20_000, () => history.read().of("ok", { pid: deaf.pid }).length > 20);
  proxy.dropReplies();
  await eventually("an answer was lost", 5000, () => proxy.counters.silenced > 0);
  await deaf.kill();
  const { duplicates } = await load.finish();
  const unheard = [...history.traces].filter(([id, { isStored }]) => id.startsWith("deaf") && !isStored);
  expect(unheard.filter(([id]) => runsOf(history, id) > 0).length).toBeGreaterThan(0);
  expect(duplicates).toBe(0);
}

function runsOf({ traces }: History, id: string): number {
  return traces.get(id)?.events.filter(({ e }) => e === "start").length ?? 0;
}
