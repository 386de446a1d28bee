import { BrokerError, hasCode, type Logger } from "@q/core/broker";
import type { Connection } from "./connection.ts";
import type { Settings } from "./options.ts";

/** `BLMOVE` and `RPOP` with a count are as old as that. */
const oldestVersion = [6, 2] as const;

/** What a server says of itself, by the names that `INFO` has. */
type Info = ReadonlyMap<string, string>;

/**
 * Looks once, at the start, whether this Redis keeps what it is given. It needs no right to `CONFIG`.
 * @throws BrokerError `Q1003` it may delete messages, `Q1022` too old, `Q1023` not what the URL says; `Q1001` no answer
 */
export async function checkServer(connection: Connection, settings: Settings, logger: Logger): Promise<void> {
  const { replicas } = settings;
  if (settings.tls?.insecure === true)
    logger.warn({}, "any certificate is taken for that of Redis: whoever is in between can read and change everything");
  const servers = await readInfo(connection, logger);
  for (const [server, info] of servers) {
    refuseOtherKind(server, info, settings);
    refuseOld(server, info);
    checkEviction(server, info, { settings, logger });
  }
  const withoutLog = servers.filter(([, info]) => info.get("aof_enabled") === "0").map(([server]) => server);
  if (withoutLog.length > 0) {
    logger.warn(
      { servers: withoutLog, hint: "appendonly yes" },
      "Redis keeps no append-only file: a crash loses what came after its last snapshot, or everything when it takes none",
    );
  }
  const alone = servers.filter(([, info]) => Number(info.get("connected_slaves") ?? replicas) < replicas);
  if (alone.length > 0) {
    logger.warn(
      { servers: alone.map(([server]) => server), replicas },
      "Redis has fewer replicas than must have each message: until they are there, sends fail",
    );
  }
}

/** Of one server, or of every master of a cluster; of none when the user may not ask. */
async function readInfo(
  connection: Connection,
  logger: Logger,
): Promise<readonly (readonly [server: string, info: Info])[]> {
  try {
    const answers = await connection.insist(() => connection.callEach("info"));
    return answers.map(([server, answer]) => [server, parseInfo(String(answer))]);
  } catch (error) {
    if (!hasCode(error, "Q1018")) throw error;
    logger.warn({ hint: "+info" }, "this user may not run INFO: whether Redis keeps messages was not checked");
    return [];
  }
}

function parseInfo(text: string): Info {
  const lines = text.split("\r\n").map((line) => line.split(":"));
  return new Map(lines.map(([name = "", ...value]) => [name, value.join(":")]));
}

function refuseOtherKind(server: string, info: Info, { target }: Settings): void {
  const mode = info.get("redis_mode");
  if (mode === "sentinel") {
    throw new BrokerError("Q1023", `${server} is a Sentinel, which stores nothing`, {
      hint: "redis+sentinel://host:26379/mymaster/0 asks it for the server",
    });
  }
  if (mode === "cluster" && target.kind !== "cluster") {
    throw new BrokerError("Q1023", `${server} is a node of a cluster`, {
      hint: "write redis+cluster: instead of redis:",
    });
  }
  // Sentinels and clusters know better who is the master, and may be about to change it.
  if (info.get("role") === "slave" && (target.kind === "standalone" || target.kind === "socket")) {
    throw new BrokerError("Q1023", `${server} is a replica and takes nothing in`, {
      hint: "name its master, or Sentinels that know it: redis+sentinel://host:26379/mymaster/0",
    });
  }
}

function refuseOld(server: string, info: Info): void {
  const version = info.get("redis_version") ?? "";
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) return;
  if (Number(major) > oldestVersion[0] || (Number(major) === oldestVersion[0] && Number(minor) >= oldestVersion[1]))
    return;
  throw new BrokerError("Q1022", `${server} is Redis ${version}: expected ${oldestVersion.join(".")} or newer`, {
    hint: "update Redis",
  });
}

function checkEviction(
  server: string,
  info: Info,
  { settings, logger }: { readonly settings: Settings; readonly logger: Logger },
): void {
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  if (policy === "noeviction") return;
  const what = `Redis may delete messages when its memory is full: its maxmemory-policy is ${policy}`;
  const hint = "CONFIG SET maxmemory-policy noeviction";
  if (!settings.allowEviction)
    throw new BrokerError("Q1003", `${what} (${server})`, {
      hint: `${hint}; the option allowEviction starts all the same`,
    });
  logger.warn({ server, hint }, what);
}
