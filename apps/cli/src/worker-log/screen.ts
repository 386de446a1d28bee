/** A terminal, a pipe or a file. */
export interface LineSink {
  readonly columns?: number;
  write(text: string): unknown;
}

/** Something that turns, such as a spinner, never ends its line. */
const longestUnended = 64 * 1024;

/** Lines that scroll, above a footer that stays. Without a footer it just writes, unless they are to wait for a first one. */
export class Screen {
  readonly #stream: LineSink;
  readonly #write: (text: string) => unknown;
  #footer: readonly string[] = [];
  #drawn = 0;
  #waiting: string[] = [];
  #unended = "";
  #soon: NodeJS.Immediate | undefined;
  #isHeld = false;

  constructor(stream: LineSink) {
    this.#stream = stream;
    // Bound now: what others write to the stream may be led to `print` later.
    this.#write = stream.write.bind(stream);
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
      this.#write(`${text}\n`);
      return;
    }
    this.#waiting.push(text);
    this.#soon ??= setImmediate(() => this.#draw());
  }

  /**
   * Text that others print on the same terminal. With a footer, lines go above it at once, for the process may be about to end; a line without an end
   * waits for it, or for the footer to go.
   */
  print(text: string): void {
    if (this.#footer.length === 0) {
      this.#write(text);
      return;
    }
    const printed = this.#unended + text;
    let lines = printed.slice(0, printed.lastIndexOf("\n") + 1);
    if (printed.length - lines.length > longestUnended) lines = `${printed}\n`;
    this.#unended = printed.slice(lines.length);
    if (lines === "") return;
    this.#waiting.push(lines.slice(0, -1));
    this.#draw();
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
    if (lines.length > 0) return;
    this.#write(this.#unended);
    this.#unended = "";
  }

  /** Wipes what is to be seen and keeps the footer. */
  clear(): void {
    this.#write("\u001b[2J\u001b[3J\u001b[H");
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
    this.#write(erase + lines);
  }
}
