import { Agent, request } from "node:http";
import type { PreparedRequest, RequestMix, SentRequest } from "./request-mix.ts";

/** Sends `count` requests, `concurrency` at a time, over connections that are kept. */
export async function sendRequests(options: {
  readonly url: string;
  readonly count: number;
  readonly concurrency: number;
  readonly mix: RequestMix;
  readonly signal: AbortSignal;
  readonly onAnswer: (sent: SentRequest) => void;
}): Promise<void> {
  const { url, count, concurrency, mix, signal, onAnswer } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  signal.addEventListener("abort", () => agent.destroy(), { once: true });
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count && !signal.aborted) onAnswer(await send(url, await mix.next(next++), agent));
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, lane));
  } finally {
    agent.destroy();
  }
}

async function send(
  url: string,
  { expected, eventId, fault, body, status }: PreparedRequest,
  agent: Agent,
): Promise<SentRequest> {
  const startedAt = performance.now();
  const answered = await post(`${url}/api/events`, body, agent);
  return { expected, eventId, fault, expectedStatus: status, status: answered, ms: performance.now() - startedAt };
}

/** The status of the answer, or 0. */
function post(url: string, body: string, agent: Agent): Promise<number> {
  return new Promise((resolve) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const call = request(url, { method: "POST", agent, headers, timeout: 10_000 }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
      answer.on("error", () => resolve(0));
    });
    call.on("timeout", () => call.destroy(new Error("no answer within 10 s")));
    call.on("error", () => resolve(0));
    call.end(body);
  });
}
