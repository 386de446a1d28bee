import { expect, test } from "vitest";
import type { Delivery, Settled } from "../broker/delivery.ts";
import { Settling } from "./settling.ts";

function answering(settle: () => Promise<Settled>): Delivery {
  return {
    message: { queue: "q", raw: new Uint8Array(), malformed: "" },
    crashes: 0,
    lost: new AbortController().signal,
    start: settle,
    settle,
  };
}

/** What its listeners hear, by name. */
function setUp() {
  const heard: string[] = [];
  let stored = 0;
  const settling = new Settling(() => (stored += 1));
  const settle = (name: string, answer: () => Promise<Settled>): void =>
    settling.settle(
      answering(answer),
      { kind: "ack" },
      {
        settled: (settled) => heard.push(`${name} ${settled}`),
        failed: (error) => heard.push(`${name} ${String(error)}`),
      },
    );
  return { heard, settling, settle, stored: () => stored };
}

const turn = (): Promise<void> => new Promise(setImmediate);

test("outcomes that share an answer all hear of it, in one go", async () => {
  const { heard, settling, settle, stored } = setUp();
  const shared = Promise.resolve<Settled>("settled");
  for (const name of ["a", "b", "c"]) settle(name, () => shared);
  settle("d", async () => "lost");
  expect([heard, settling.count]).toEqual([[], 4]);
  await turn();
  expect([heard, settling.count, stored()]).toEqual([["a settled", "b settled", "c settled", "d lost"], 0, 2]);
});

test("an answer that was given before is heard by who comes later, too", async () => {
  const { heard, settle } = setUp();
  const shared = Promise.resolve<Settled>("lost");
  settle("a", () => shared);
  await turn();
  settle("b", () => shared);
  await turn();
  expect(heard).toEqual(["a lost", "b lost"]);
});

test("a broker that rejects or throws is heard of, and does not stop the others", async () => {
  const { heard, settling, settle } = setUp();
  const rejected = Promise.reject<Settled>(new Error("gone"));
  settle("a", () => rejected);
  settle("b", () => rejected);
  settle("c", () => {
    throw new Error("bug");
  });
  settle("d", async () => "settled");
  await turn();
  expect(heard.toSorted()).toEqual(["a Error: gone", "b Error: gone", "c Error: bug", "d settled"]);
  expect(settling.count).toBe(0);
});
