import type { Settled } from "@q/core/broker";
import type { Held } from "./scripts/claim.ts";
import type { Ending, SettleAnswer } from "./scripts/settle.ts";

type Tag = Pick<Held, "fence" | "list">;

interface Answer {
  readonly promise: Promise<Settled>;
  readonly resolve: (settled: Settled) => void;
  readonly reject: (error: unknown) => void;
}

/** Settles that go out together. Plain acks all have one answer, and so one promise. */
export class SettleBatch {
  /** Without their texts, which may be large: they have been read. */
  readonly acks: Tag[] = [];
  readonly endings: Ending[] = [];
  readonly #acked: Answer;
  readonly #answers: Answer[] = [];

  /** @param acked who waits for its acks already */
  constructor(acked: Answer = newAnswer()) {
    this.#acked = acked;
    // Whoever waits for an ack hears of it; when nobody does, nobody needs to.
    this.#acked.promise.catch(() => undefined);
  }

  get size(): number {
    return this.acks.length + this.endings.length;
  }

  /** Of what is over when the batch is. */
  get fences(): readonly number[] {
    const ended = this.endings.filter(({ kind }) => kind !== "start");
    return [...this.acks, ...ended].map(({ fence }) => fence);
  }

  ack({ fence, list }: Held): Promise<Settled> {
    this.acks.push({ fence, list });
    return this.#acked.promise;
  }

  end(ending: Ending): Promise<Settled> {
    const answer = newAnswer();
    this.endings.push(ending);
    this.#answers.push(answer);
    return answer.promise;
  }

  /** The acks together, and each ending by itself. Whoever waits for this batch is told by them. */
  parts(): readonly SettleBatch[] {
    const acks = new SettleBatch(this.#acked);
    for (const tag of this.acks) acks.acks.push(tag);
    const endings = this.endings.map((ending, index) => {
      const part = new SettleBatch();
      part.endings.push(ending);
      part.#answers.push(...this.#answers.slice(index, index + 1));
      return part;
    });
    return acks.size === 0 ? endings : [acks, ...endings];
  }

  /** @param answer `undefined` when the lease was gone */
  resolve(answer: SettleAnswer | undefined): void {
    this.#acked.resolve(answer === undefined ? "lost" : "settled");
    this.#answers.forEach((one, index) => one.resolve(answer?.endings[index] ?? "lost"));
  }

  /** Tells everybody who waits. What comes afterwards nobody hears. */
  reject(error: unknown): void {
    this.#acked.reject(error);
    for (const answer of this.#answers) answer.reject(error);
  }
}

/** Promise.withResolvers, which Node 20 has not. */
function newAnswer(): Answer {
  let ends: Pick<Answer, "resolve" | "reject"> | undefined;
  const promise = new Promise<Settled>((resolve, reject) => {
    ends = { resolve, reject };
  });
  // The executor has run: a promise calls it at once.
  return { promise, ...(ends as unknown as Pick<Answer, "resolve" | "reject">) };
}
