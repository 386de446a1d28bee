/** Facts about one log line. Pino's first argument. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * What q needs of a logger. A pino logger is one.
 * Task arguments and secrets never go into a line at any level.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: LogFields): Logger;
}

/** Says nothing: the default of an app that was given no logger. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child() {
    return silentLogger;
  },
};
