import type { Socket } from "node:net";

/** What a flow asks about each chunk as it arrives. */
export interface FlowRules {
  /** Milliseconds that a chunk takes. */
  latencyMs(): number;
  /** Milliseconds for which a byte keeps those behind it waiting. */
  msPerByte(): number;
  /** Whether the next chunk gets lost. Nothing follows it then, because TCP never leaves a hole. */
  losesNext(): boolean;
  /** Called with each chunk that is handed on. */
  passed(chunk: Buffer): void;
}

const maxQueuedBytes = 1024 * 1024;

/** One direction of a proxied connection. The bytes keep their order, whatever happens to them. */
export class Flow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #rules: FlowRules;
  readonly #queue: { readonly chunk: Buffer; readonly dueAt: number }[] = [];
  #queuedBytes = 0;
  #isHeld: boolean;
  #hasLost = false;
  /** When all that was taken so far is on its way. */
  #busyUntil = 0;
  #hasEnded = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, sink: Socket, options: { readonly rules: FlowRules; readonly isHeld: boolean }) {
    this.#source = source;
    this.#sink = sink;
    this.#rules = options.rules;
    this.#isHeld = options.isHeld;
    source.on("data", (chunk) => this.#take(chunk));
    source.on("end", () => {
      this.#hasEnded = true;
      this.#advance();
    });
    sink.on("drain", () => this.#advance());
    sink.on("close", () => clearTimeout(this.#timer));
    if (this.#isHeld) source.pause();
  }

  /** Whether bytes were lost, so that the connection is good for nothing any more. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  /** Keeps everything back from now on. The buffers of the system fill as they would behind a dead link. */
  hold(): void {
    this.#isHeld = true;
    this.#advance();
  }

  /** What was held back goes on, as TCP sends again what was not acknowledged. */
  release(): void {
    this.#isHeld = false;
    this.#advance();
  }

  #take(chunk: Buffer): void {
    this.#hasLost ||= this.#rules.losesNext();
    if (this.#hasLost) return;
    this.#busyUntil = Math.max(this.#busyUntil, performance.now()) + chunk.length * this.#rules.msPerByte();
    const dueAt = this.#busyUntil + this.#rules.latencyMs();
    this.#queue.push({ chunk, dueAt });
    this.#queuedBytes += chunk.length;
    this.#advance();
  }

  #advance(): void {
    clearTimeout(this.#timer);
    if (this.#sink.destroyed) return;
    if (!this.#isHeld) this.#handOn();
    if (this.#isHeld || this.#queuedBytes > maxQueuedBytes) this.#source.pause();
    else this.#source.resume();
  }

  #handOn(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (this.#sink.writableNeedDrain) return;
      const waitMs = next.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#advance(), waitMs);
        return;
      }
      this.#queue.shift();
      this.#queuedBytes -= next.chunk.length;
      this.#rules.passed(next.chunk);
      this.#sink.write(next.chunk);
    }
    if (this.#hasEnded) this.#sink.end();
  }
}
