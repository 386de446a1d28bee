import type { BenchServer, ServerCounters } from "./bench-server.ts";
import { Child } from "./child.ts";
import type { ChildLink } from "./child-link.ts";
import { CommandWorker } from "./command-worker.ts";
import type { CrewOrder, CrewReport, CrewSetup } from "./crew/orders.ts";
import type { FieldName } from "./field-name.ts";
import { linkToNode } from "./node-link.ts";
import type { ChildRole } from "./peer.ts";
import { loadAnyPeer } from "./peers.ts";
import { linkToPython } from "./python-link.ts";
import type { RunOrder, RunnerSetup, RunReport } from "./runner/orders.ts";
import type { SendCost, SenderSetup, SendOrder } from "./sender/orders.ts";
import { startServer } from "./servers.ts";

/** A server, and the processes that work on it. */
export class Field {
  readonly name: FieldName;
  readonly #server: BenchServer;
  readonly #children = new Set<{ end(): Promise<void> }>();

  private constructor(name: FieldName, server: BenchServer) {
    this.name = name;
    this.#server = server;
  }

  static async open(name: FieldName): Promise<Field> {
    return new Field(name, await startServer(name));
  }

  /** Name and version of its server. */
  describe(): Promise<string> {
    return this.#server.describe();
  }

  counters(): Promise<ServerCounters> {
    return this.#server.counters();
  }

  /** See `BenchServer.configure`. @throws Error where the server has no such settings */
  async configure(settings: Readonly<Record<string, string>>): Promise<() => Promise<void>> {
    const restore = await this.#server.configure?.(settings);
    if (restore === undefined) throw new Error(`a server of ${this.name} is not configured by a workload`);
    return restore;
  }

  /** Nothing of the runs before is left. */
  clear(): Promise<void> {
    return this.#server.clear();
  }

  /** A producer of a peer, connected. @throws Error */
  sender(peer: string): Promise<Child<SendOrder, SendCost>> {
    const setup: SenderSetup = { field: this.name, peer, place: this.#server.place };
    return this.#start<SendOrder, SendCost>("sender", setup);
  }

  /** A worker of a peer, that has begun to work. @throws Error */
  runner(peer: string, order: Omit<RunnerSetup, "field" | "peer" | "place">): Promise<Child<RunOrder, RunReport>> {
    const setup: RunnerSetup = { ...order, field: this.name, peer, place: this.#server.place };
    return this.#start<RunOrder, RunReport>("runner", setup);
  }

  /** A worker of a peer from the command line, that has just begun to start; `undefined` where its users have no such command. */
  async commandWorker(peer: string): Promise<CommandWorker | undefined> {
    const loaded = await loadAnyPeer(this.name, peer);
    if ("python" in loaded || loaded.createApp === undefined) return undefined;
    const worker = CommandWorker.start({ field: this.name, place: this.#server.place });
    this.#children.add(worker);
    return worker;
  }

  /** One of several workers of a peer, that waits for the order to work. @throws Error */
  worker(peer: string, order: Omit<CrewSetup, "field" | "peer" | "place">): Promise<Child<CrewOrder, CrewReport>> {
    const setup: CrewSetup = { ...order, field: this.name, peer, place: this.#server.place };
    return this.#start<CrewOrder, CrewReport>("crew", setup);
  }

  /** Ends everything that was started here. Never throws. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#children].map((child) => child.end()));
    await this.#server.stop();
  }

  async #start<Question, Answer>(role: NodeRole, setup: ChildSetup): Promise<Child<Question, Answer>> {
    const child = new Child<Question, Answer>(await this.#link(role, setup.peer));
    this.#children.add(child);
    await child.setUp(setup);
    return child;
  }

  async #link(role: NodeRole, peerName: string): Promise<ChildLink> {
    const peer = await loadAnyPeer(this.name, peerName);
    if (!("python" in peer)) return linkToNode(`./${role}/main.js`);
    if (role === "crew") throw new Error(`${peer.name} has no program for one of several workers`);
    return linkToPython(peer.python.scripts[role], peer.python);
  }
}

/** The folder of a program in node. */
type NodeRole = ChildRole | "crew";

/** What the setups of all processes have. */
interface ChildSetup {
  readonly peer: string;
}
