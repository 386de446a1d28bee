// The programs from outside npm that some suites need, and how to get them.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * One program that a suite starts or talks to.
 * @typedef {object} Program
 * @property {string} name what a person calls it
 * @property {readonly string[]} probe a command that exits 0 where the program is there
 * @property {string} apt the Debian packages that bring it, with spaces between them
 * @property {readonly string[]} suites the test files that cannot run without it
 */

const testServers = "packages/test-servers/test";
const brokerRedis = "packages/broker-redis/test";
const celeryOnRedis = ["celery", "celery-fleet", "celery-priority"].map((suite) => `${brokerRedis}/${suite}.test.ts`);
const brokerAmqp = "packages/broker-amqp/test";
/** Their tasks in Python note in a Redis server what they saw. */
const celeryOnRabbit = ["celery", "celery-fleet", "celery-queues"].map((suite) => `${brokerAmqp}/${suite}.test.ts`);

const celeryInBench = "apps/bench/test/celery.test.ts";

/** All suites of a folder, each of which needs a server. @param {string} folder */
function suitesIn(folder) {
  const files = readdirSync(fileURLToPath(new URL(`../${folder}`, import.meta.url)));
  return files.filter((file) => file.endsWith(".test.ts")).map((file) => `${folder}/${file}`);
}

/** @type {readonly Program[]} */
export const programs = [
  {
    name: "Celery",
    // The system's own Python: another one on the PATH does not see the packages of apt.
    probe: ["/usr/bin/python3", "-c", "import celery"],
    apt: "python3-celery",
    suites: ["packages/core/test/celery.test.ts", ...celeryOnRedis, ...celeryOnRabbit, celeryInBench],
  },
  {
    name: "Redis for Python",
    probe: ["/usr/bin/python3", "-c", "import redis"],
    apt: "python3-redis",
    suites: [...celeryOnRedis, ...celeryOnRabbit, celeryInBench],
  },
  {
    name: "Redis",
    probe: ["redis-server", "--version"],
    apt: "redis-server",
    suites: [
      ...["redis-server", "redis-cluster", "redis-sentinels", "clock-shim"].map(
        (suite) => `${testServers}/${suite}.test.ts`,
      ),
      ...suitesIn(brokerRedis),
      ...celeryOnRabbit,
    ],
  },
  {
    name: "RabbitMQ",
    // Not `rabbitmq-server --version`, which starts a server. Only root has sbin on its PATH on Debian.
    probe: ["sh", "-c", "test -x /usr/lib/rabbitmq/bin/rabbitmq-server || command -v rabbitmq-server"],
    apt: "rabbitmq-server",
    suites: [`${testServers}/rabbit-server.test.ts`, "apps/cli/test/rabbitmq.test.ts", ...suitesIn(brokerAmqp)],
  },
  {
    name: "PostgreSQL",
    // Debian keeps its programs off the PATH.
    probe: ["sh", "-c", "ls /usr/lib/postgresql/*/bin/postgres || command -v postgres"],
    apt: "postgresql",
    suites: [`${testServers}/postgres-server.test.ts`],
  },
  {
    name: "a C compiler",
    // Also asks for the headers of the C library, which is another package.
    probe: ["gcc", "-E", "-include", "time.h", "-x", "c", "/dev/null"],
    apt: "gcc libc6-dev",
    suites: [`${testServers}/clock-shim.test.ts`, `${brokerRedis}/model.test.ts`, `${brokerRedis}/faults.test.ts`],
  },
  {
    name: "OpenSSL",
    probe: ["openssl", "version"],
    apt: "openssl",
    suites: [
      `${testServers}/test-certificates.test.ts`,
      `${brokerAmqp}/tls.test.ts`,
      `${testServers}/rabbit-server.test.ts`,
      ...["cluster", "connect", "secrets", "sentinel", "server-check"].map(
        (suite) => `${brokerRedis}/${suite}.test.ts`,
      ),
    ],
  },
  ...["zsh", "fish"].map((shell) => ({
    name: shell,
    probe: [shell, "--version"],
    apt: shell,
    suites: ["apps/cli/test/completion-shells.test.ts"],
  })),
];

/**
 * The programs that are not on this machine.
 * @param {readonly Program[]} wanted
 * @returns {Program[]}
 */
export function missingPrograms(wanted) {
  return wanted.filter(({ probe: [command, ...args] }) => spawnSync(command, args, { stdio: "ignore" }).status !== 0);
}

/**
 * Installs packages with apt where this process may. A machine without package lists gets them first.
 * @param {readonly Program[]} wanted
 * @returns {string | undefined} why it was not done, or undefined when it was
 */
export function installWithApt(wanted) {
  if (process.getuid?.() !== 0) return "not root";
  if (spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status !== 0) return "no apt-get here";
  const packages = wanted.flatMap((program) => program.apt.split(" "));
  return withoutServices(() => {
    if (aptGet("install", ...packages)) return undefined;
    if (aptGet("update") && aptGet("install", ...packages)) return undefined;
    return `apt-get install ${packages.join(" ")} failed`;
  });
}

/**
 * Debian starts the service of a package that it installs. The tests want its program only, and start servers of their own.
 * @template T
 * @param {() => T} install
 * @returns {T}
 */
function withoutServices(install) {
  const policy = "/usr/sbin/policy-rc.d";
  // A machine with a policy of its own keeps it.
  if (existsSync(policy)) return install();
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    return install();
  } finally {
    rmSync(policy, { force: true });
  }
}

/** @param {readonly string[]} args */
function aptGet(...args) {
  // Bounded, so that a machine without a network goes on within seconds and not after apt's own minutes.
  const options = [
    "-y",
    "-qq",
    "--no-install-recommends",
    "-o",
    "Acquire::Retries=0",
    "-o",
    "Acquire::http::Timeout=15",
  ];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", [...options, ...args], { stdio: "ignore", env, timeout: 180_000 }).status === 0;
}
