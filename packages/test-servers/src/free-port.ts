import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

const attempts = 50;
const host = "127.0.0.1";

/** A datagram socket at each port that is ours: nothing is sent to it, and no second one can be there, in any process. */
const claims = new Map<number, Socket>();

/**
 * A port on which nobody listens, from 10000 to 21999. That is below the ports that systems hand to outgoing connections: a client
 * knocking at a server that is down could otherwise be given that very port, and then the server cannot come back. And the port
 * 10000 higher, the bus of a Redis Cluster, is below them too.
 *
 * No other call, in this process or another one, answers the same port until `giveBackPort` or the end of this process, also while
 * nobody listens there: clients of a server that is down would meet somebody else's.
 * @throws Error when 50 random ports are all taken
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = randomInt(10_000, 22_000);
    if (!(await claim(port))) continue;
    if (await isFree(port)) return port;
    giveBackPort(port);
  }
  throw new Error(`expected a free port between 10000 and 21999, but ${attempts} random ones were taken`);
}

/** Whoever asks for a port may have this one. */
export function giveBackPort(port: number): void {
  claims.get(port)?.close();
  claims.delete(port);
}

async function claim(port: number): Promise<boolean> {
  const socket = createSocket("udp4").unref();
  try {
    socket.bind({ port, address: host, exclusive: true });
    await once(socket, "listening");
  } catch {
    socket.close();
    return false;
  }
  claims.set(port, socket);
  return true;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
