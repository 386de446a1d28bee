import { once } from "node:events";
import type { ChildLink } from "./child-link.ts";
import type { ToChild } from "./child-side.ts";

/** Longest wait for one answer. The slowest peer needs a small part of it. */
const answersWithinMs = 300_000;

/** A process of a peer, that does what it is told. */
export class Child<Question, Answer> {
  readonly #link: ChildLink;

  constructor(link: ChildLink) {
    this.#link = link;
  }

  /** To be called first. @throws Error when it cannot be set up, with its own words */
  async setUp(setup: unknown): Promise<void> {
    await this.#tell({ setup });
  }

  /** One at a time. @throws Error when it fails, ends, or does not answer within five minutes */
  async ask(question: Question): Promise<Answer> {
    return (await this.#tell({ question })) as Answer; // of the same build
  }

  /** Resolves when it has ended, after it has closed what it had. @throws as `ask` */
  async close(): Promise<void> {
    try {
      await this.#tell({ close: true });
    } finally {
      await this.end();
    }
  }

  /** Ends it as it is. May be called twice. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#link.process;
    if (exitCode !== null || signalCode !== null) return;
    const exited = once(this.#link.process, "exit");
    this.#link.hangUp();
    const late = setTimeout(() => this.#link.kill(), 5000);
    await exited;
    clearTimeout(late);
  }

  /** Ends it with SIGKILL, in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.#link.kill();
    await this.end();
  }

  async #tell(message: ToChild): Promise<unknown> {
    if (!this.#link.isOpen()) throw new Error("a process of the bench has ended before it was asked");
    const done = new AbortController();
    const { signal } = done;
    const late = setTimeout(() => this.#link.kill(), answersWithinMs);
    try {
      const answered = this.#link.reply(signal);
      const exited = once(this.#link.process, "exit", { signal }).then(() => undefined);
      this.#link.send(message);
      const reply = await Promise.race([answered, exited]);
      if (reply === undefined) throw new Error("a process of the bench ended without an answer");
      if ("failure" in reply) throw new Error(reply.failure);
      return reply.answer;
    } finally {
      clearTimeout(late);
      done.abort();
    }
  }
}
