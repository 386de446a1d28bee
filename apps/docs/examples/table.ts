import type { BrokerMessage, DeadReason, MalformedMessage, QueueOptions, Settled } from "@q/core/broker";

/** One stored message. */
export interface Row {
  readonly queue: string;
  /** The priority, in a queue that has priorities; else 0. */
  readonly rank: number;
  message: BrokerMessage | MalformedMessage;
  readyAt: number;
  /** Order among rows of the same rank and time. */
  place: number;
  /** The process that has it; `null` while it waits. */
  holder: string | null;
  /** A new number in each delivery. */
  fence: number;
  crashes: number;
  started: boolean;
  dead: DeadReason | null;
}

/** Stands for a database, and its clock for the database's. Each method would be one transaction there. */
export class Table {
  readonly queues: Map<string, QueueOptions> = new Map();
  /** Told when something may have become ready. A database has LISTEN and NOTIFY for it, or is polled. */
  readonly listeners: Set<() => void> = new Set();
  readonly #rows = new Set<Row>();
  /** Until when a process is believed to live. */
  readonly #leases = new Map<string, number>();
  #counter = 0;

  /** Stores a message at the tail of its queue. */
  add(message: Row["message"], delayMs = 0): void {
    const hasRank = !("malformed" in message) && this.queues.get(message.queue)?.priorities === true;
    const rank = hasRank ? message.priority : 0;
    const place = { readyAt: Date.now() + delayMs, place: this.next() };
    this.#rows.add({
      queue: message.queue,
      rank,
      message,
      ...place,
      holder: null,
      fence: 0,
      crashes: 0,
      started: false,
      dead: null,
    });
    this.#tell();
  }

  next(): number {
    this.#counter += 1;
    return this.#counter;
  }

  /** Hands out the next row of a queue. SQL: `UPDATE … WHERE id = (SELECT … ORDER BY rank DESC, ready_at, place LIMIT 1) RETURNING *`. */
  take(queue: string, holder: string): Row | undefined {
    const ready = this.#waiting(queue).filter((row) => row.readyAt <= Date.now());
    const [row] = ready.toSorted((a, b) => b.rank - a.rank || a.readyAt - b.readyAt || a.place - b.place);
    return row === undefined ? undefined : Object.assign(row, { holder, fence: this.next(), started: false });
  }

  /** When the next waiting row of a queue is due. */
  nextDueAt(queue: string): number | undefined {
    const due = this.#waiting(queue).map((row) => row.readyAt);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Changes a row for whoever holds it. SQL: `… WHERE id = ? AND holder = ? AND fence = ?`, and `lost` when that changed no row. */
  change(row: Row, { holder, fence }: Pick<Row, "holder" | "fence">, changes: Partial<Row> | "delete"): Settled {
    if (!this.#rows.has(row) || row.holder !== holder || row.fence !== fence) return "lost";
    if (changes === "delete") this.#rows.delete(row);
    else Object.assign(row, changes);
    this.#tell();
    return "settled";
  }

  /** Says that a process lives. `false` when it was given up meanwhile: what it held may be in other hands. */
  renew(holder: string, leaseMs: number): boolean {
    this.#recover();
    if (!this.#leases.has(holder)) return false;
    this.#leases.set(holder, Date.now() + leaseMs);
    return true;
  }

  enter(holder: string, leaseMs: number): void {
    this.#leases.set(holder, Date.now() + leaseMs);
  }

  /** The process leaves in good order: what it held goes back uncounted, in its place. */
  leave(holder: string): void {
    this.#leases.delete(holder);
    for (const row of this.#rows) if (row.holder === holder) row.holder = null;
    this.#tell();
  }

  /** Ends a lease at once, as if its time were over. */
  expire(holder: string): void {
    this.#leases.set(holder, 0);
    this.#recover();
  }

  /** Frees what processes held that are gone. The first death counts for everything, later ones only for what was started. */
  #recover(): void {
    for (const [holder, until] of this.#leases) {
      if (until > Date.now()) continue;
      this.#leases.delete(holder);
      for (const row of this.#rows) {
        if (row.holder !== holder) continue;
        if (row.crashes === 0 || row.started) row.crashes += 1;
        row.holder = null;
      }
      this.#tell();
    }
  }

  #waiting(queue: string): Row[] {
    return [...this.#rows].filter((row) => row.queue === queue && row.holder === null && row.dead === null);
  }

  #tell(): void {
    for (const listener of this.listeners) listener();
  }
}
