import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { DatabaseSync, type DatabaseSyncInstance } from "@photostructure/sqlite";
import { payload, type Payload } from "../payload.ts";
import { payloadTemplate } from "../payload-template.ts";
import type { FilePlace, Peer, Runner, RunnerOptions, Sender } from "../peer.ts";
import { qOnSqlite } from "./q-sqlite.ts";

const rowsOfTake = 100;
/** How often an idle worker looks. Milliseconds. */
const pollMs = 1;
const senderPragma = "synchronous = FULL";
const runnerPragma = "synchronous = NORMAL";

const schema =
  "CREATE TABLE IF NOT EXISTS task (seq INTEGER PRIMARY KEY, id TEXT, headers TEXT, properties TEXT, body BLOB) STRICT";
const insert = "INSERT INTO task (id, headers, properties, body) VALUES (?, ?, ?, ?)";
const take = "DELETE FROM task WHERE seq IN (SELECT seq FROM task ORDER BY seq LIMIT ?) RETURNING body";

/** What a task gets where nobody looks into it. */
const unread = payload(0);

/**
 * The physical limit: the bytes that q stores, in rows without an index, from the driver that q uses. A transaction holds what is sent in one
 * turn of the event loop; a DELETE takes 100 at a time, whatever the concurrency, and what it took is gone.
 */
export const rawSqlite: Peer = {
  name: "raw SQLite",
  packages: ["@photostructure/sqlite"],
  settings: {
    "pragma of the producer": senderPragma,
    "pragma of the worker": runnerPragma,
    "rows of a DELETE": rowsOfTake,
    "poll in ms": pollMs,
  },
  share: 1,
  hasDelays: false,
  openSender,
  openRunner,
};

type Row = readonly [id: string, headers: string, properties: string, body: Uint8Array];

async function openSender(place: FilePlace): Promise<Sender> {
  const rowOf = await rows(place);
  const database = open(place, senderPragma);
  const adding = database.prepare(insert);
  const add = (payloads: readonly Payload[]): void => {
    database.exec("BEGIN IMMEDIATE");
    for (const one of payloads) adding.run(...rowOf(one));
    database.exec("COMMIT");
  };
  let waiting: Payload[] = [];
  let added: Promise<void> | undefined;
  const addWaiting = async (): Promise<void> => {
    await nextTurn();
    const payloads = waiting;
    waiting = [];
    added = undefined;
    add(payloads);
  };
  return {
    send: (one) => {
      waiting.push(one);
      added ??= addWaiting();
      return added;
    },
    sendMany: async (payloads) => add(payloads),
    close: async () => database.close(),
  };
}

function open({ file }: Pick<FilePlace, "file">, pragma: string): DatabaseSyncInstance {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA ${pragma}; ${schema}`);
  return database;
}

/** How q would store them. */
async function rows(place: FilePlace): Promise<(payload: Payload) => Row> {
  // Another file, where no worker takes it away.
  const file = `${place.file}.sample`;
  const sample = payload(0);
  const sender = await qOnSqlite.openSender({ ...place, file });
  await sender.send(sample);
  await sender.close();
  const database = new DatabaseSync(file);
  const row = database.prepare("SELECT id, headers, properties, body FROM message").get() as unknown as StoredRow; // q's own
  database.close();
  const bodyOf = payloadTemplate(Buffer.from(row.body).toString(), sample);
  return (one) => [row.id, row.headers, row.properties, Buffer.from(bodyOf(one))];
}

interface StoredRow {
  readonly id: string;
  readonly headers: string;
  readonly properties: string;
  readonly body: Uint8Array;
}

function openRunner(place: FilePlace, { readsPayload, onTask }: RunnerOptions): Promise<Runner> {
  const database = open(place, runnerPragma);
  const taking = database.prepare(take);
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const taken = taking.all(rowsOfTake) as unknown as readonly Pick<StoredRow, "body">[]; // as inserted
      for (const { body } of taken) void onTask(readsPayload ? payloadOf(body) : unread);
      await (taken.length === 0 ? pause(pollMs) : nextTurn());
    }
  };
  const looping = loop();
  return Promise.resolve({
    stop: async () => {
      stopping.abort();
      await looping;
      database.close();
    },
  });
}

function payloadOf(body: Uint8Array): Payload {
  const [, named] = JSON.parse(Buffer.from(body).toString()) as [unknown, Payload]; // Celery's body: positional, named, embed
  return named;
}
