import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { nowUs } from "./payload.ts";

/** The start or the end of a task in one process. */
export interface WorkRecord {
  readonly what: "begun" | "ended";
  /** Of the payload. */
  readonly id: number;
  /** By the clock of the payloads, which all processes share. Microseconds. */
  readonly atUs: number;
}

const kinds = ["begun", "ended"] as const;
/** Kind, id and time, as doubles. */
const bytesOfRecord = 3 * 8;

/** Writes down what a process works at, so that others can tell when it is dead. */
export class WorkLog {
  readonly #descriptor: number;
  readonly #buffer: Buffer;
  #used = 0;

  /**
   * @param file is made
   * @param recordsPerWrite 1, so that all is in the file whenever the process is killed; or many, so that it takes little time
   */
  constructor(file: string, recordsPerWrite: number) {
    this.#descriptor = openSync(file, "wx");
    this.#buffer = Buffer.alloc(bytesOfRecord * recordsPerWrite);
  }

  begun(id: number): void {
    this.#write(0, id);
  }

  ended(id: number): void {
    this.#write(1, id);
  }

  /** To be called once, when nothing more happens. */
  close(): void {
    this.#flush();
    closeSync(this.#descriptor);
  }

  #write(kind: number, id: number): void {
    this.#buffer.writeDoubleLE(kind, this.#used);
    this.#buffer.writeDoubleLE(id, this.#used + 8);
    this.#buffer.writeDoubleLE(nowUs(), this.#used + 16);
    this.#used += bytesOfRecord;
    if (this.#used === this.#buffer.length) this.#flush();
  }

  #flush(): void {
    writeSync(this.#descriptor, this.#buffer, 0, this.#used);
    this.#used = 0;
  }
}

/** What is in the file by now; its process may still write. */
export function readWorkLog(file: string): readonly WorkRecord[] {
  const bytes = readFileSync(file);
  return Array.from({ length: Math.floor(bytes.length / bytesOfRecord) }, (_, index) => {
    const at = index * bytesOfRecord;
    const what = kinds[bytes.readDoubleLE(at)];
    if (what === undefined) throw new Error("expected a log of work");
    return { what, id: bytes.readDoubleLE(at + 8), atUs: bytes.readDoubleLE(at + 16) };
  });
}
