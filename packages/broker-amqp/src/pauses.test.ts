import { expect, test, vi } from "vitest";
import type { Connection } from "./connection.ts";
import { Pauses } from "./pauses.ts";

/** What the server says of a queue that is not there. */
const missing = Object.assign(new Error("no queue"), { code: 404 });

test("a pause that was set before its consumer hears again is seen when it does", async () => {
  const signs = new Set<string>();
  const ask = async (question: (channel: unknown) => Promise<unknown>): Promise<unknown> =>
    await question({
      checkQueue: async (name: string) => {
        if (!signs.has(name)) throw missing;
      },
      assertQueue: async (name: string) => void signs.add(name),
    });
  let hearAgain: () => void = () => {};
  const pauses = new Pauses({
    quiet: async () => ({ ready: async () => ({ ask }) }) as unknown as Connection, // all that is used of it
    control: {
      listen: async () => ({ close: async () => {} }),
      // Nobody hears of it yet.
      send: async () => {},
      onAgain: (listener) => (hearAgain = listener),
    },
    address: "localhost",
  });
  const changed: string[] = [];
  pauses.onChange((queue) => void changed.push(queue));
  expect(await pauses.refresh("email")).toBe(false);
  await pauses.set("email", true);
  expect(pauses.isPaused("email")).toBe(false);
  hearAgain();
  await vi.waitFor(() => expect(changed).toEqual(["email"]));
  expect(pauses.isPaused("email")).toBe(true);
});
