import { closeSync, openSync, readSync } from "node:fs";

/** What one process noted. */
export interface LogEvent {
  readonly e: string;
  readonly id?: string;
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly retries?: number;
  /** Of a worker that has grown too large. */
  readonly bytes?: number;
  /** Of a send: after how long it may run. Milliseconds. */
  readonly delayMs?: number;
  readonly crashes?: number;
  readonly code?: string;
  readonly unknown?: boolean;
}

/** All that is known of one message. */
export interface Trace {
  readonly events: LogEvent[];
  wasTried: boolean;
  /** The producer was told that it is stored. */
  isStored: boolean;
  isDone: boolean;
  isDead: boolean;
  acks: number;
}

/** What became of every message, from the log that all processes of a row append to. */
export class History {
  readonly traces: Map<string, Trace> = new Map();
  readonly events: LogEvent[] = [];
  /** Stored, and neither done nor dead. */
  readonly open: Set<string> = new Set();
  readonly #file: number;
  #position = 0;
  #rest = "";

  constructor(path: string) {
    this.#file = openSync(path, "a+");
  }

  /** Reads what was noted since the last time. */
  read(): this {
    const chunk = Buffer.alloc(1 << 20);
    for (;;) {
      const length = readSync(this.#file, chunk, 0, chunk.length, this.#position);
      if (length === 0) return this;
      this.#position += length;
      const lines = (this.#rest + chunk.toString("latin1", 0, length)).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#add(JSON.parse(line) as LogEvent); // written by note.mjs
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Events of one kind, of one process when it is named, since `at`. */
  of(kind: string, { pid, since = 0 }: { readonly pid?: number; readonly since?: number } = {}): readonly LogEvent[] {
    return this.events.filter(({ e, pid: of, at }) => e === kind && at >= since && (pid === undefined || of === pid));
  }

  /** What nobody may have lived to note. */
  noteDead(id: string): void {
    this.#add({ e: "dead", id, pid: process.pid, at: Date.now() });
  }

  #add(event: LogEvent): void {
    this.events.push(event);
    const { id, e } = event;
    if (id === undefined) return;
    const trace = this.#trace(id);
    trace.events.push(event);
    if (e === "try") trace.wasTried = true;
    else if (e === "ok") trace.isStored = true;
    else if (e === "done") trace.isDone = true;
    else if (e === "dead") trace.isDead = true;
    else if (e === "acked") trace.acks += 1;
    if (trace.isStored && !trace.isDone && !trace.isDead) this.open.add(id);
    else this.open.delete(id);
  }

  #trace(id: string): Trace {
    let trace = this.traces.get(id);
    if (trace === undefined) {
      trace = { events: [], wasTried: false, isStored: false, isDone: false, isDead: false, acks: 0 };
      this.traces.set(id, trace);
    }
    return trace;
  }
}
