import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { littleDisk, nodeEnvironment, plentyOfMemory, rabbitProgram, type RabbitNode } from "./rabbit-node.ts";

const run = promisify(execFile);
const answersWithinMs = 60_000;

/** What a user may do in a vhost: patterns of names, as `rabbitmqctl set_permissions` takes them. */
export interface RabbitPermissions {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

export interface RabbitUser extends RabbitPermissions {
  readonly name: string;
  readonly password: string;
  readonly vhost: string;
}

export interface RabbitPolicy {
  readonly name: string;
  readonly vhost: string;
  /** Of the names of queues. */
  readonly pattern: string;
  /** `{ "delivery-limit": 3 }`. */
  readonly definition: Readonly<Record<string, string | number | boolean>>;
}

export interface RabbitQueue {
  readonly name: string;
  readonly type: string;
  readonly ready: number;
  readonly unacknowledged: number;
  readonly consumers: number;
}

/** What an operator does to a node, past everything that a test has broken. Each call costs a second of a processor. */
export class RabbitAdmin {
  readonly #node: RabbitNode;

  constructor(node: RabbitNode) {
    this.#node = node;
  }

  /**
   * Answers what `rabbitmqctl` prints.
   * @throws Error of rabbitmqctl, or that it has not ended within a minute
   */
  async command(...args: readonly string[]): Promise<string> {
    const { stdout } = await run(rabbitProgram("rabbitmqctl"), ["--quiet", ...args], {
      env: { ...process.env, ...nodeEnvironment(this.#node) },
      timeout: answersWithinMs,
    });
    return stdout.trim();
  }

  /** Answers the value of an Erlang expression, as Erlang prints it. */
  async evaluate(expression: string): Promise<string> {
    return await this.command("eval", `${expression}.`);
  }

  /** A vhost in which `guest` may do everything. */
  async addVhost(vhost: string): Promise<void> {
    await this.#define({
      vhosts: [{ name: vhost }],
      permissions: [{ user: "guest", vhost, configure: ".*", write: ".*", read: ".*" }],
    });
  }

  async deleteVhost(vhost: string): Promise<void> {
    await this.command("delete_vhost", vhost);
  }

  async addUser({ name, password, vhost, ...permissions }: RabbitUser): Promise<void> {
    await this.#define({
      users: [{ name, password, tags: "" }],
      permissions: [{ user: name, vhost, ...permissions }],
    });
  }

  async setPolicy({ name, vhost, pattern, definition }: RabbitPolicy): Promise<void> {
    await this.command("set_policy", "-p", vhost, "--apply-to", "queues", name, pattern, JSON.stringify(definition));
  }

  async clearPolicy({ name, vhost }: Pick<RabbitPolicy, "name" | "vhost">): Promise<void> {
    await this.command("clear_policy", "-p", vhost, name);
  }

  /**
   * Makes the node write down which queues it has, quorum queues too. By itself it does so a moment after it has made one, and a node that dies before
   * that comes back without the queue, or with it empty and without a leader for ever.
   */
  async writeDownQueues(): Promise<void> {
    await this.evaluate("ok = mnesia:sync_log(), [ok = dets:sync(Table) || Table <- dets:all()]");
  }

  async deleteQueue(queue: string, vhost = "/"): Promise<void> {
    await this.command("delete_queue", "-p", vhost, queue);
  }

  async purgeQueue(queue: string, vhost = "/"): Promise<void> {
    await this.command("purge_queue", "-p", vhost, queue);
  }

  async queues(vhost = "/"): Promise<readonly RabbitQueue[]> {
    const columns = ["name", "type", "messages_ready", "messages_unacknowledged", "consumers"];
    const rows = JSON.parse(await this.command("list_queues", "-p", vhost, "--formatter", "json", ...columns)) as {
      readonly name: string;
      readonly type: string;
      readonly messages_ready: number;
      readonly messages_unacknowledged: number;
      readonly consumers: number;
    }[];
    return rows.map(({ messages_ready: ready, messages_unacknowledged: unacknowledged, ...queue }) => {
      return { ...queue, ready, unacknowledged };
    });
  }

  /** While it is on, the node reads nothing more from a connection that publishes. */
  async setMemoryAlarm(on: boolean): Promise<void> {
    await this.command("set_vm_memory_high_watermark", "absolute", on ? "1MB" : plentyOfMemory);
  }

  /** As the alarm of memory. The node looks at its disk every now and then: it may take some seconds. */
  async setDiskAlarm(on: boolean): Promise<void> {
    await this.command("set_disk_free_limit", on ? "1000TB" : littleDisk);
  }

  async closeAllConnections(reason = "a test"): Promise<void> {
    await this.command("close_all_connections", reason);
  }

  /** Stops RabbitMQ, but not its node. */
  async stopApp(): Promise<void> {
    await this.command("stop_app");
  }

  async startApp(): Promise<void> {
    await this.command("start_app");
  }

  /** Several changes in one call. */
  async #define(definitions: Readonly<Record<string, readonly object[]>>): Promise<void> {
    const running = run(rabbitProgram("rabbitmqctl"), ["--quiet", "import_definitions"], {
      env: { ...process.env, ...nodeEnvironment(this.#node) },
      timeout: answersWithinMs,
    });
    running.child.stdin?.end(JSON.stringify(definitions));
    await running;
  }
}
