import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

const attempts = 50;

/**
 * A port on which nobody listens, from 10000 to 21999. That is below the ports that systems hand to outgoing connections: a client
 * knocking at a server that is down could otherwise be given that very port, and then the server cannot come back. And the port
 * 10000 higher, the bus of a Redis Cluster, is below them too.
 * @throws Error when 50 random ports are all taken
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = randomInt(10_000, 22_000);
    if (await isFree(port)) return port;
  }
  throw new Error(`expected a free port between 10000 and 21999, but ${attempts} random ones were taken`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
