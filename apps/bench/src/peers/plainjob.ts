import { DatabaseSync, enhance } from "@photostructure/sqlite";
import { defineQueue, defineWorker, type Connection, type Queue } from "plainjob";
import type { Payload } from "../payload.ts";
import type { FilePlace, Peer, Runner, RunnerOptions, Sender } from "../peer.ts";

const type = "bench.nothing";
/** What q asks of the disk: that it has what was sent. What was done may be done again after a power failure. */
const senderPragma = "synchronous = FULL";
const runnerPragma = "synchronous = NORMAL";
/** Milliseconds. By default a second, in which an idle worker hears of nothing. */
const pollIntervall = 5;
const silent = (): void => undefined;
const logger = { error: console.error, warn: console.warn, info: silent, debug: silent };

/** A worker of it runs one task at a time, so there are as many workers as tasks are to run at once. */
export const plainjob: Peer = {
  name: "plainjob",
  packages: ["plainjob", "@photostructure/sqlite"],
  settings: { "pragma of the producer": senderPragma, "pragma of the worker": runnerPragma, pollIntervall },
  share: 0.25,
  hasDelays: true,
  openSender,
  openRunner,
};

function openSender(place: FilePlace): Promise<Sender> {
  const queue = openQueue(place, senderPragma);
  return Promise.resolve({
    send: async (payload) => queue.add(type, payload),
    sendMany: async (payloads) => queue.addMany(type, [...payloads]),
    sendDelayed: async (payload, delay) => queue.add(type, payload, { delay }),
    close: async () => queue.close(),
  });
}

function openRunner(place: FilePlace, { concurrency, onTask }: RunnerOptions): Promise<Runner> {
  const queue = openQueue(place, runnerPragma);
  const run = async ({ data }: { readonly data: string }): Promise<void> => onTask(JSON.parse(data) as Payload); // as sent
  const workers = Array.from({ length: concurrency }, () => defineWorker(type, run, { queue, pollIntervall, logger }));
  const running = workers.map((worker) => worker.start());
  return Promise.resolve({
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await Promise.all(running);
      queue.close();
    },
  });
}

/** What it hands to a statement: its one value, or all of them by name. */
type Values = number | Readonly<Record<string, string | number>>;

function openQueue({ file }: FilePlace, pragma: string): Queue {
  const connection = connect(file);
  const queue = defineQueue({ connection, logger });
  // It sets its own when it is made.
  connection.pragma(pragma);
  return queue;
}

/**
 * On the driver that q uses, so that both have the same SQLite. That one is slow with values by name, which is all that plainjob knows; its
 * usual driver is not. So they are handed on by their places.
 */
function connect(file: string): Connection {
  const database = enhance(new DatabaseSync(file));
  return {
    driver: "better-sqlite3",
    filename: file,
    pragma: (text) => database.pragma(text),
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const names = Array.from(sql.matchAll(/@(\w+)/g), ([, name = ""]) => name);
      const statement = database.prepare(sql.replaceAll(/@\w+/g, "?"));
      const inPlaces = (values?: Values): readonly (string | number)[] => {
        if (values === undefined) return [];
        return typeof values === "number" ? [values] : names.map((name) => values[name] ?? missing(name));
      };
      return {
        run: (values?: Values) => statement.run(...inPlaces(values)),
        get: (values?: Values): unknown => statement.get(...inPlaces(values)),
        all: (values?: Values): unknown => statement.all(...inPlaces(values)),
      };
    },
    transaction: (action) => database.transaction(action),
    close: () => database.close(),
  };
}

function missing(name: string): never {
  throw new Error(`plainjob did not say what "${name}" is`);
}
