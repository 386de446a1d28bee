import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePort, giveBackPort } from "./free-port.ts";

test("a port is free, and below those that systems hand to outgoing connections", async () => {
  const port = await freePort();
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  server.close();
  expect(port).toBeGreaterThanOrEqual(10_000);
  expect(port).toBeLessThan(22_000);
});

test("nobody else is given a port before it is given back, whether anybody listens there or not", async () => {
  const port = await freePort();
  expect(await canClaim(port)).toBe(false);
  giveBackPort(port);
  expect(await canClaim(port)).toBe(true);
});

/** As another process would try. */
async function canClaim(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  const claimed = once(socket, "listening").then(
    () => true,
    () => false,
  );
  socket.bind(port, "127.0.0.1");
  const isClaimed = await claimed;
  await new Promise<void>((resolve) => {
    socket.close(resolve);
  });
  return isClaimed;
}
