import { Redis } from "ioredis";
import { payload, type Payload } from "../payload.ts";
import { payloadTemplate } from "../payload-template.ts";
import type { Peer, Place, Runner, RunnerOptions, Sender } from "../peer.ts";
import { qOnRedis } from "./q-redis.ts";

const valuesOfPush = 100;
const valuesOfPop = 100;

/** Ends what was taken last, and takes the next: the least that a queue that loses nothing has to do. KEYS list, held · ARGV most */
const popAndHold = `redis.call('DEL', KEYS[2])
local values = redis.call('RPOP', KEYS[1], ARGV[1]) or {}
local held = {}
for index, value in ipairs(values) do
  held[2 * index - 1] = index
  held[2 * index] = value
end
if #values > 0 then redis.call('HSET', KEYS[2], unpack(held)) end
return values`;

/** KEYS list · ARGV value */
const pushAlone = "return redis.call('LPUSH', KEYS[1], ARGV[1])";

/** What a task gets where nobody looks into it. */
const unread = payload(0);

/**
 * The physical limit: nothing but commands with the bytes that q writes, from the client that q uses. LPUSH, one value or 100 at a time; a
 * script that moves 100 values into a hash and deletes those before, whatever the concurrency; BRPOP where nothing is there.
 */
export const rawRedis: Peer = {
  name: "raw Redis",
  packages: ["ioredis"],
  settings: { "values of an LPUSH in bulk": valuesOfPush, "values of a pop": valuesOfPop },
  share: 1,
  hasDelays: false,
  openSender,
  openRunner,
};

/**
 * The same LPUSH as the only thing that a script does. To store a message once although its answer was lost takes a script, as the server has to
 * compare and to push in one step: so this is the limit of whoever promises that.
 */
export const rawScript: Peer = {
  ...rawRedis,
  name: "raw script",
  settings: { script: pushAlone },
  // A quick run sends nothing one by one.
  isForFullRuns: true,
  takesPartIn: ["enqueue, one by one"],
  openSender: openScriptSender,
};

async function openScriptSender(place: Place): Promise<Sender> {
  const client = new Redis(place);
  const textOf = await envelopes(client, place);
  const script = String(await client.script("LOAD", pushAlone));
  const send = (one: Payload): Promise<unknown> => client.evalsha(script, 1, place.queue, textOf(one));
  return {
    send,
    sendMany: (payloads) => Promise.all(payloads.map(send)),
    close: async () => void (await client.quit()),
  };
}

async function openSender(place: Place): Promise<Sender> {
  const { queue } = place;
  const client = new Redis(place);
  const textOf = await envelopes(client, place);
  return {
    send: (one) => client.lpush(queue, textOf(one)),
    sendMany: async (payloads) => {
      for (let from = 0; from < payloads.length; from += valuesOfPush)
        await client.lpush(queue, ...payloads.slice(from, from + valuesOfPush).map(textOf));
    },
    close: async () => void (await client.quit()),
  };
}

/** How q would write them. */
async function envelopes(client: Redis, place: Place): Promise<(payload: Payload) => string> {
  // Another one, where no worker takes it away.
  const queue = `${place.queue}.sample`;
  const sample = payload(0);
  const sender = await qOnRedis.openSender({ ...place, queue });
  await sender.send(sample);
  await sender.close();
  const text = ((await client.rpop(queue)) ?? "").replace(queue, place.queue);
  return payloadTemplate(text, sample);
}

async function openRunner(place: Place, { readsPayload, onTask }: RunnerOptions): Promise<Runner> {
  const { queue } = place;
  const client = new Redis(place);
  const blocking = new Redis(place);
  const script = String(await client.script("LOAD", popAndHold));
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const values = (await client.evalsha(script, 2, queue, `${queue}.held`, valuesOfPop)) as string[]; // elements of a list
      const [, waited] = values.length > 0 ? [] : ((await blocking.brpop(queue, 0.5)) ?? []);
      const taken = waited === undefined ? values : [waited];
      for (const value of taken) void onTask(readsPayload ? payloadOf(value) : unread);
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      stopping.abort();
      await looping;
      await Promise.all([client.quit(), blocking.quit()]);
    },
  };
}

function payloadOf(text: string): Payload {
  const { body } = JSON.parse(text) as { body: string }; // written by `envelopes`
  const [, named] = JSON.parse(body) as [unknown, Payload]; // Celery's body: positional, named, embed
  return named;
}
