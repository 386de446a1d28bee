import type { App } from "@q/core";
import type { Payload } from "./payload.ts";

/** Where a peer works: a server, and a queue on it. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly queue: string;
}

/** A file that takes a server's place. Nobody has made it yet. */
export interface FilePlace {
  /** Absolute path. Nothing else lies in its folder. */
  readonly file: string;
  readonly queue: string;
}

/** What a field has for its peers, which know what they need of it. */
export type AnyPlace = Place | FilePlace;

/** A producer, connected. */
export interface Sender {
  /** Resolves when the server has it. */
  send(payload: Payload): Promise<unknown>;
  /** By whatever the peer offers for many at once. */
  sendMany(payloads: readonly Payload[]): Promise<unknown>;
  /** To be run so many milliseconds from now. Absent where there is no such thing. */
  sendDelayed?(payload: Payload, delayMs: number): Promise<unknown>;
  close(): Promise<void>;
}

export interface RunnerOptions {
  readonly concurrency: number;
  /** Whether `onTask` looks into the payload. */
  readonly readsPayload: boolean;
  /** To be called at the start of each task, which does nothing else, and ends when what it answers resolves. */
  readonly onTask: (payload: Payload) => void | Promise<void>;
}

/** A worker that runs. */
export interface Runner {
  /** Resolves when the outcome of everything that it ran is stored. */
  stop(): Promise<void>;
}

/** What the bench knows of a peer without running it. */
interface PeerTraits {
  readonly name: string;
  /** What it is told other than its defaults, as it stands in the code. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Part of a workload's tasks that it gets, so that a slow one does not take all the time. */
  readonly share: number;
  /** Whether its sender has `sendDelayed`. */
  readonly hasDelays: boolean;
  /** Whether a quick run leaves it out, unless it is asked for by name. Default: no. */
  readonly isForFullRuns?: boolean;
  /** What the names of its workloads contain. Default: all of them. */
  readonly takesPartIn?: readonly string[];
  /** What the names of workloads contain that it cannot do, or that another peer does in the same way. Default: none. */
  readonly leavesOut?: readonly string[];
}

/** One library, or the limit that no library can pass: what its users write, as fast as its own documentation knows how. */
export interface Peer extends PeerTraits {
  /** From npm; their versions stand beside the figures. */
  readonly packages: readonly string[];
  openSender(place: AnyPlace): Promise<Sender>;
  openRunner(place: AnyPlace, options: RunnerOptions): Promise<Runner>;
  /** For the command that its users start a worker with. Absent where they write a program of their own, which is what `openRunner` is. */
  createApp?(place: AnyPlace, onTask: RunnerOptions["onTask"]): App;
}

/** The same in Python: its processes are scripts of the bench, which speak with it as those in node do. */
export interface PythonPeer extends PeerTraits {
  readonly python: PythonProgram;
}

export interface PythonProgram {
  /** Distributions; their versions stand beside the figures. */
  readonly packages: readonly string[];
  /** Debian's packages that bring them, with spaces between them. */
  readonly apt: string;
  /** In the folder `python`. */
  readonly scripts: Readonly<Record<ChildRole, string>>;
  /** What each of them gets as its argument. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a process of any peer is for. */
export type ChildRole = "sender" | "runner";

export type AnyPeer = Peer | PythonPeer;
