import type { Writable } from "node:stream";

/** Where the main job writes: lines that stay, and on a terminal one line below them that changes. */
export class Screen {
  readonly #out: Writable;
  readonly #isTerminal: boolean;
  readonly #columns: () => number;
  #progress = "";
  #shownAt = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#isTerminal = out.isTTY && process.env["CI"] === undefined && process.env["TERM"] !== "dumb";
    // A terminal that does not know its width says 0.
    this.#columns = () => out.columns || 80;
  }

  /** Writes a line that stays. */
  line(text: string): void {
    this.#out.write(`${this.#clearing()}${text}\n`);
    if (this.#isTerminal) this.#out.write(this.#progress);
  }

  /** Shows how far things are, ten times a second at most. Without a terminal it becomes a line, at most one a second. */
  progress(text: string): void {
    if (performance.now() - this.#shownAt < (this.#isTerminal ? 100 : 1000)) return;
    this.#shownAt = performance.now();
    if (!this.#isTerminal) {
      this.#out.write(`${text}\n`);
      return;
    }
    const clearing = this.#clearing();
    this.#progress = text.slice(0, this.#columns() - 1);
    this.#out.write(clearing + this.#progress);
  }

  /** Takes the changing line away. */
  endProgress(): void {
    this.#out.write(this.#clearing());
    this.#progress = "";
  }

  #clearing(): string {
    return this.#progress === "" ? "" : "\r\u001B[2K";
  }
}
