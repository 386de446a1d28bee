import { describe, expect, test } from "vitest";
import { isReadOnly, passingReason, redisError, unreachable } from "./redis-error.ts";

const address = "redis://cache:6379/0";

describe("an answer of Redis", () => {
  // Redis 6.2 reports what a command in a script was told as an error of the script.
  const wrapped = "ERR Error running script (call to f_0c1b): @user_script:7: @user_script: 7: -";

  test.each([
    ["Q1002", "WRONGPASS invalid username-password pair or user is disabled."],
    ["Q1002", "NOAUTH Authentication required."],
    ["Q1016", "OOM command not allowed when used memory > 'maxmemory'."],
    ["Q1016", `${wrapped}OOM command not allowed when used memory > 'maxmemory'.`],
    ["Q1017", "WRONGTYPE Operation against a key holding the wrong kind of value script: 0c1b, on @user_script:5."],
    ["Q1017", "ERR Error running script (call to f_0c1b): @user_script:3: WRONGTYPE Operation against a key"],
    ["Q1018", "NOPERM this user has no permissions to run the 'evalsha' command"],
    ["Q1018", "ERR ACL failure in script: User bob has no permissions to run the 'rpop' command"],
    ["Q1018", `${wrapped}NOPERM The user executing the script can't access at least one of the keys`],
    [
      "Q1018",
      "ERR Error running script (call to f_0c1b): @user_script:1: The user executing the script can't run this command",
    ],
    ["Q1019", "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk."],
    ["Q1023", "MOVED 3999 127.0.0.1:6381"],
    ["Q1020", "ERR something new"],
  ])("means %s: %s", (code, text) => {
    expect(redisError(new Error(text), address)).toMatchObject({ code, message: expect.stringContaining(address) });
  });

  test.each([
    ["LOADING", "LOADING Redis is loading the dataset in memory"],
    ["READONLY", "READONLY You can't write against a read only replica."],
    ["READONLY", `${wrapped}READONLY You can't write against a read only replica.`],
    ["UNBLOCKED", "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"],
    ["NOREPLICAS", "NOREPLICAS Not enough good replicas to write."],
    ["CLUSTERDOWN", "CLUSTERDOWN The cluster is down"],
    ["TRYAGAIN", "TRYAGAIN Multiple keys request during rehashing of slot"],
    ["BUSY", "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."],
    [undefined, "BUSYGROUP Consumer Group name already exists"],
    [undefined, "OOM command not allowed when used memory > 'maxmemory'."],
  ])("passes, as %s: %s", (reason, text) => {
    expect(passingReason(new Error(text))).toBe(reason);
    expect(isReadOnly(new Error(text))).toBe(reason === "READONLY");
  });

  test("that repeats the arguments of a command is cut before them", () => {
    const text = "ERR unknown command 'AUTH', with args beginning with: 'bob' 's3cr3t' ";
    expect(redisError(new Error(text), address).message).toBe(
      `Redis at ${address} answered with an error: ERR unknown command 'AUTH'`,
    );
  });
});

describe("no connection", () => {
  const coded = (code: string): Error => Object.assign(new Error("s3cr3t"), { code });

  test("is told by its reason, of several addresses by the first", () => {
    const refused = coded("ECONNREFUSED");
    for (const error of [refused, new AggregateError([refused, coded("ENETUNREACH")])]) {
      expect(unreachable(error, address)).toMatchObject({
        code: "Q1001",
        message: `could not reach Redis at ${address} (ECONNREFUSED)`,
        sent: false,
      });
    }
  });

  test("to a port of another server says so, and not what its parser wants reported", () => {
    // What ioredis says when RabbitMQ answers with its "AMQP", or a web server with its "HTTP".
    for (const text of [
      'Unknown RESP type 65 "A". Please report this.',
      'Unknown RESP type 72 "H". Please report this.',
    ]) {
      const error = unreachable(new Error(text), address);
      expect(error).toMatchObject({ code: "Q1001", hint: expect.stringContaining("port") });
      expect(error.message).toBe(`could not reach Redis at ${address} (what answers there is not Redis)`);
    }
  });

  test("is told by what the last node or Sentinel said", () => {
    const failed = Object.assign(new Error("Failed to refresh slots cache."), {
      lastNodeError: new Error("NOAUTH Authentication required."),
    });
    expect(unreachable(failed, address).code).toBe("Q1002");
    const last = "All sentinels are unreachable. Retrying from scratch after 71.3ms. Last error: WRONGPASS invalid";
    expect(unreachable(new Error(last), address).code).toBe("Q1002");
    const silent = "All sentinels are unreachable. Retrying from scratch after 71.3ms.";
    expect(unreachable(new Error(silent), address).message).toBe(
      `could not reach Redis at ${address} (no Sentinel names a server)`,
    );
  });

  test.each([
    ["redis://cache:6379/0", "ENOTFOUND", /host/],
    ["redis://cache:6379/0", "ECONNRESET", /rediss:/],
    ["rediss://cache:6379/0", "ETIMEDOUT", /TLS/],
    ["rediss://cache:6379/0", "ECONNRESET", /certificate/],
    ["redis://cache:6379/0", "ECONNREFUSED", /running/],
  ])("to %s because of %s has a hint that fits", (to, reason, hint) => {
    expect(unreachable(coded(reason), to).hint).toMatch(hint);
  });
});
