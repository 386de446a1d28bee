/** A terminal, a pipe or a file. */
export interface LineSink {
  readonly columns?: number;
  write(text: string): unknown;
}

/** Lines that scroll, above a footer that stays. Without a footer it just writes, unless they are to wait for a first one. */
export class Screen {
  readonly #stream: LineSink;
  #footer: readonly string[] = [];
  #drawn = 0;
  #waiting: string[] = [];
  #soon: NodeJS.Immediate | undefined;
  #isHeld = false;

  constructor(stream: LineSink) {
    this.#stream = stream;
  }

  get columns(): number {
    return this.#stream.columns ?? 80;
  }

  /** Adds a line. With a footer, the lines of one turn of the event loop are written together. */
  line(text: string): void {
    if (this.#isHeld) {
      this.#waiting.push(text);
      return;
    }
    if (this.#footer.length === 0) {
      this.#stream.write(`${text}\n`);
      return;
    }
    this.#waiting.push(text);
    this.#soon ??= setImmediate(() => this.#draw());
  }

  /** Keeps lines back until `release`. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Writes the lines that were kept back, behind those that are to stand above them. Without `hold`, the same as `line`. */
  release(...first: readonly string[]): void {
    this.#isHeld = false;
    for (const text of [...first, ...this.#waiting.splice(0)]) this.line(text);
  }

  /** Replaces the footer; an empty one takes it away. */
  setFooter(lines: readonly string[]): void {
    this.#footer = lines;
    this.#draw();
  }

  /** Wipes what is to be seen and keeps the footer. */
  clear(): void {
    this.#stream.write("\u001b[2J\u001b[3J\u001b[H");
    this.#drawn = 0;
    this.#draw();
  }

  #draw(): void {
    if (this.#soon !== undefined) clearImmediate(this.#soon);
    this.#soon = undefined;
    // Back to the first line of the old footer, and clear from there to the end of the screen.
    const erase = this.#drawn === 0 ? "" : `\u001b[${this.#drawn}F\u001b[J`;
    const lines = [...this.#waiting, ...this.#footer].map((line) => `${line}\n`).join("");
    this.#waiting = [];
    this.#drawn = this.#footer.length;
    this.#stream.write(erase + lines);
  }
}
