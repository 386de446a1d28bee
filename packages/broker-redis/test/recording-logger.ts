import type { LogFields, Logger } from "@q/core/broker";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: LogFields;
  readonly text: string;
}

/** Keeps what was logged. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = [];

  debug(fields: LogFields, text: string): void {
    this.lines.push({ level: "debug", fields, text });
  }

  info(fields: LogFields, text: string): void {
    this.lines.push({ level: "info", fields, text });
  }

  warn(fields: LogFields, text: string): void {
    this.lines.push({ level: "warn", fields, text });
  }

  error(fields: LogFields, text: string): void {
    this.lines.push({ level: "error", fields, text });
  }

  child(): Logger {
    return this;
  }

  /** The warnings, as text. */
  get warnings(): readonly string[] {
    return this.lines.filter(({ level }) => level === "warn").map(({ text }) => text);
  }
}
