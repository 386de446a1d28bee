/** One step of a call stack, in Sentry's shape: what JavaScript SDKs send. */
export interface StackFrame {
  readonly function?: string;
  /** Relative to the program, `/` between folders. */
  readonly filename?: string;
  readonly abs_path?: string;
  /** From 1. */
  readonly lineno?: number;
  /** From 1. */
  readonly colno?: number;
  /** Whether it is the program's own code, not a library's or the runtime's. */
  readonly in_app?: boolean;
}

/** One error of a chain. */
export interface ExceptionValue {
  readonly type: string;
  readonly value?: string;
  /** Outermost call first, the place that threw last. */
  readonly stacktrace?: { readonly frames: readonly StackFrame[] } | null;
  readonly mechanism?: {
    readonly type: string;
    readonly handled: boolean;
    readonly exception_id?: number;
    readonly parent_id?: number;
  };
}

/** The part of Sentry's event payload that this program reads. Every other field is kept as it came. */
export interface ErrorEvent {
  /** 32 hexadecimal digits, lower case. */
  readonly event_id: string;
  /** ISO 8601, or seconds since 1970. */
  readonly timestamp: string | number;
  readonly platform: string;
  readonly project: string;
  readonly level?: "fatal" | "error" | "warning" | "info" | "debug";
  readonly message?: string;
  /** The first cause first, the error that was caught last. */
  readonly exception?: { readonly values: readonly ExceptionValue[] };
  readonly release?: string;
  readonly environment?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly request?: { readonly headers?: unknown };
}

/** The error that was caught, the last of the chain. */
export function caughtException(event: ErrorEvent): ExceptionValue | undefined {
  return event.exception?.values.at(-1);
}
