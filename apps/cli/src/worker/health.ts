import { createServer, type Server } from "node:http";
import { rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { ConfigError, type Broker, type Worker } from "@q/core";

/** Whether it takes tasks now. A broker that is away makes a worker unready, never dead: a restart would not help. */
export function isReady(worker: Worker, broker: Broker): boolean {
  return worker.state === "running" && broker.connected;
}

export interface HealthServer {
  readonly port: number;
  close(): void;
}

/**
 * Answers `GET /livez` (the event loop turns) and `GET /readyz` (takes tasks) with 200 or 503. Port 0 takes any free one.
 * @throws ConfigError `Q2111` when the port is taken
 */
export async function serveHealth(port: number, ready: () => boolean): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const isKnown = request.method === "GET" || request.method === "HEAD";
    const ok = request.url === "/livez" || (request.url === "/readyz" && ready());
    const status = !isKnown ? 405 : ok ? 200 : request.url === "/readyz" ? 503 : 404;
    response.writeHead(status, { "content-type": "text/plain" }).end(status === 200 ? "ok\n" : "no\n");
  });
  await listen(server, port);
  server.unref();
  // A server that listens on a port has an address of this kind.
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(
        new ConfigError("Q2111", `--health-port ${port} cannot be used (${cause.code ?? cause.message})`, {
          cause,
          hint: "another process has it? --health-port 0 takes any free one",
        }),
      );
    });
    server.listen(port, resolve);
  });
}

const touchMs = 5000;

/**
 * Writes the time into a file every 5 s while the worker is ready, for probes that look at a file's age. Answers how to end it.
 * @throws ConfigError `Q2114` when the file cannot be written
 */
export async function touchHealthFile(path: string, ready: () => boolean): Promise<() => Promise<void>> {
  const touch = (): Promise<void> => writeFile(path, `${new Date().toISOString()}\n`);
  try {
    await touch();
    // Now it is known that it can be written. It is to be there once tasks are taken.
    if (!ready()) await rm(path, { force: true });
  } catch (cause) {
    throw new ConfigError("Q2114", `--health-file ${path} cannot be written`, {
      cause,
      hint: "does its folder exist?",
    });
  }
  let touching = Promise.resolve();
  const timer = setInterval(() => {
    // A disk that is full now is what the file's age tells the probe.
    if (ready()) touching = touch().catch(() => {});
  }, touchMs).unref();
  return async () => {
    clearInterval(timer);
    await touching;
    await rm(path, { force: true });
  };
}
