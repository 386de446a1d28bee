import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePort } from "./free-port.ts";

test("a port is free, and below those that systems hand to outgoing connections", async () => {
  const port = await freePort();
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  server.close();
  expect(port).toBeGreaterThanOrEqual(10_000);
  expect(port).toBeLessThan(22_000);
});
