import { ConfigError, QError } from "@q/core";

/** The command line is wrong: `Q2101` an unknown command, `Q2102` an unknown option, `Q2103` a value or operand that does not fit, `Q2123` an id that could be several. */
export class UsageError extends QError {}

/**
 * A module of the user's did not load: `Q2002`, or the `Q2xxx` of an error of ours that its own code ran into. It is the module that is wrong and not
 * the command line, so that the exit code is 2 whatever the code means elsewhere.
 */
export class LoadError extends ConfigError {
  readonly duringLoad = true;
}

/** What was asked for is not there: `Q2003` a queue, `Q2104` a task name, `Q2105` a dead letter. */
export class NotFoundError extends QError {}

/**
 * `Q2106`: the command deletes or moves things, nobody can be asked, and nobody said yes beforehand. `Q2118`: never in production. `Q2119`:
 * `Q_READ_ONLY` is set.
 */
export class RefusedError extends QError {}

/** `Q2107`: the broker lacks an optional part that the command needs. */
export class MissingPartError extends QError {}

/** `Q2108`: no answer within `--timeout`. */
export class TimeoutError extends QError {}
