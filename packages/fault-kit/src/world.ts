import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TcpProxy, type ProxyTarget } from "@q/test-servers";
import { Child, type Orders, type Program, type Surroundings } from "./child.ts";
import { History } from "./history.ts";

export interface WorldOptions {
  /** All that is drawn by lot in a row follows from it. */
  readonly seed: number;
  /** A module with another build of the adapter. Default: the one that is built here. */
  readonly brokerModule?: string | undefined;
}

/** Which broker the processes of a world use. */
export interface Adapter {
  /** The URL of its module, as it was built. */
  readonly module: string;
  /** What that exports to make a broker of options: `"redis"`. */
  readonly factory: string;
  /** Warnings that tell nothing about why a row failed. */
  readonly expectedWarnings: RegExp;
}

/** The servers and processes of one row, and the log that all of them append to. */
export class World {
  readonly seed: number;
  readonly history: History;
  readonly #folder: string;
  readonly #adapter: Adapter;
  readonly #children: Child[] = [];
  readonly #closing: (() => Promise<unknown>)[] = [];
  #random: number;

  constructor(adapter: Adapter, { seed, brokerModule = adapter.module }: WorldOptions) {
    this.seed = seed;
    this.#random = seed;
    this.#adapter = { ...adapter, module: brokerModule };
    this.#folder = mkdtempSync(join(tmpdir(), "q-faults-"));
    this.history = new History(join(this.#folder, "log.jsonl"));
  }

  /** From 0 to 1, the same for the same seed: mulberry32. */
  random(): number {
    this.#random = (this.#random + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A bad network between the processes and a server. */
  async proxy(server: ProxyTarget): Promise<TcpProxy> {
    const proxy = await TcpProxy.start(server);
    this.defer(() => proxy.stop());
    return proxy;
  }

  /** Starts a process that is told where the broker is, `url`, what `queue` it is for, maybe more options of the `broker`, and the rest. */
  start(program: Program, orders: Orders, surroundings: Surroundings = {}): Child {
    const log = join(this.#folder, "log.jsonl");
    const output = join(this.#folder, `${program}-${this.#children.length}.txt`);
    // Their clocks may be wrong, and what they note is compared.
    const bootedAt = Date.now() - Number(process.hrtime.bigint()) / 1e6;
    const told = { ...orders, log, bootedAt, adapter: this.#adapter };
    const child = Child.start(program, told, { ...surroundings, output });
    this.#children.push(child);
    return child;
  }

  /** What every process has warned of, for whoever looks why a row failed. */
  get warnings(): string {
    const { expectedWarnings: expected } = this.#adapter;
    return this.#children
      .map(({ pid, output }) => ({
        pid,
        lines: output.split("\n").filter((line) => line !== "" && !expected.test(line)),
      }))
      .filter(({ lines }) => lines.length > 0)
      .map(({ pid, lines }) => `--- ${pid}\n${lines.slice(0, 20).join("\n")}`)
      .join("\n");
  }

  /** Has something done when the row is over, last things first. */
  defer(action: () => Promise<unknown>): void {
    this.#closing.unshift(action);
  }

  async close(): Promise<void> {
    for (const action of this.#closing) await action();
    await Promise.all(this.#children.map((child) => child.kill()));
    this.history.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
