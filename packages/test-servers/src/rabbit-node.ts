import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { programPath } from "./installed.ts";

/** Where a RabbitMQ node is, for its server, its rabbitmqctl and a test in another process: plain data. */
export interface RabbitNode {
  /** Of its files, its log and the cookie that lets rabbitmqctl in. */
  readonly dir: string;
  /** `rabbit@localhost`. */
  readonly name: string;
  readonly host: string;
  /** Of AMQP. */
  readonly port: number;
  /** Of AMQP with TLS, when there is that. */
  readonly tlsPort: number | undefined;
  /** Other nodes find this one there. */
  readonly epmdPort: number;
  /** Other nodes talk to this one there. */
  readonly distributionPort: number;
}

/** Room above what a node needs, so that nothing but a test raises an alarm. */
export const plentyOfMemory = "4GB";
export const littleDisk = "10MB";

/** Nodes and rabbitmqctl let in whoever has the same one. Only this user can read its file, and only this machine reaches the ports. */
const cookie = "QTESTSERVERS";

/** What a node reads at its start. */
export interface NodeConfig {
  /** Lines of rabbitmq.conf. */
  readonly config: readonly string[];
  /** What has no line there: parameters of the application `rabbit`, in Erlang, such as `{channel_tick_interval, 1000}`. */
  readonly parameters: readonly string[];
}

export function writeNodeFiles({ dir }: RabbitNode, { config, parameters }: NodeConfig): void {
  mkdirSync(dir, { recursive: true });
  // Erlang refuses a cookie that others may read.
  writeFileSync(join(dir, ".erlang.cookie"), cookie, { mode: 0o600 });
  writeFileSync(join(dir, "rabbitmq.conf"), [...config, ""].join("\n"));
  writeFileSync(join(dir, "advanced.config"), `[{rabbit, [${parameters.join(", ")}]}].\n`);
  writeFileSync(join(dir, "enabled_plugins"), "[].\n");
}

/** For the server and for rabbitmqctl: nothing of the machine's own RabbitMQ has a say. */
export function nodeEnvironment({ dir, name, epmdPort, distributionPort }: RabbitNode): Record<string, string> {
  return {
    HOME: dir,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: name,
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: join(dir, "mnesia"),
    RABBITMQ_LOG_BASE: join(dir, "log"),
    RABBITMQ_CONFIG_FILE: join(dir, "rabbitmq.conf"),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, "advanced.config"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, "enabled_plugins"),
    RABBITMQ_PID_FILE: join(dir, "pid"),
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    // No dump of a node that does not start: it would lie where the tests run.
    ERL_CRASH_DUMP_SECONDS: "0",
    // Two schedulers are enough, and more only wait for each other. The starter of epmd is ours.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+S 2:2 -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
    // Below the ports that systems hand out, and above those of freePort.
    RABBITMQ_CTL_DIST_PORT_MIN: "22000",
    RABBITMQ_CTL_DIST_PORT_MAX: "22999",
    // Makes the script become the server, which then has the pid that we know, and no console.
    RUNNING_UNDER_SYSTEMD: "true",
  };
}

/** @throws Error when RabbitMQ is not installed */
export function rabbitProgram(program: "epmd" | "rabbitmq-server" | "rabbitmqctl"): string {
  const path = programPath(program);
  if (path !== undefined) return path;
  throw new Error(
    `expected ${program} on the PATH: install RabbitMQ, on Debian with \`apt-get install rabbitmq-server\``,
  );
}
