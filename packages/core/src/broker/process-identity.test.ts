import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { systemLiveness } from "./process-identity.ts";

const liveness = systemLiveness();
const { own } = liveness;

describe.runIf(process.platform === "linux")("on Linux", () => {
  test("this process is alive to itself", () => {
    expect(own.pid).toBe(process.pid);
    expect(own.startedAt).toMatch(/^\d+$/);
    expect(liveness.check(own)).toBe("alive");
  });

  test("a process is alive until it is killed, also before its parent has noticed", async () => {
    const child = spawn("sleep", ["60"]);
    await once(child, "spawn");
    const pid = child.pid ?? 0;
    const other = { ...own, pid, startedAt: null };
    expect(liveness.check(other)).toBe("unknown");
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    expect(liveness.check(other)).toBe("dead");
  });

  test("a later process with the same number is not taken for the dead one", () => {
    expect(liveness.check({ ...own, startedAt: "1" })).toBe("dead");
  });

  test("a process from before the machine's start is dead", () => {
    expect(liveness.check({ ...own, bootId: "another" })).toBe("dead");
  });

  test("a process in another container cannot be judged", () => {
    expect(liveness.check({ ...own, pidNamespace: "pid:[1]" })).toBe("unknown");
    // LXC and systemd-nspawn give each a boot id as well.
    expect(liveness.check({ ...own, pidNamespace: "pid:[1]", bootId: "another" })).toBe("unknown");
  });
});

test("where the system tells nothing, a process that is gone is still seen to be gone", () => {
  const bare = { startedAt: null, bootId: null, pidNamespace: own.pidNamespace };
  expect(liveness.check({ ...bare, pid: 2 ** 22 + 1 })).toBe("dead");
  expect(liveness.check({ ...bare, pid: process.pid })).toBe("unknown");
});
