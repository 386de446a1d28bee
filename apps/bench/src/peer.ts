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

/** One library, or the limit that no library can pass: what its users write, as fast as its own documentation knows how. */
export interface Peer {
  readonly name: string;
  /** From npm; their versions stand beside the figures. */
  readonly packages: readonly string[];
  /** What it is told other than its defaults, as it stands in the code. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Part of a workload's tasks that it gets, so that a slow one does not take all the time. */
  readonly share: number;
  /** Whether its sender has `sendDelayed`. */
  readonly hasDelays: boolean;
  openSender(place: AnyPlace): Promise<Sender>;
  openRunner(place: AnyPlace, options: RunnerOptions): Promise<Runner>;
}
