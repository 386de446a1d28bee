/**
 * A piece of code that fails when it runs: it throws, or its promise rejects. `occurrence` counts up from 0, for messages that differ
 * while the fault is the same. The function's own name names the fault.
 */
export type Failure = (occurrence: number) => unknown;

/**
 * Runs failing code as an event loop runs a request, with nothing of the caller on the stack, and answers what was thrown, boxed.
 * @throws Error when the code did not fail
 */
export function raise(failure: Failure, occurrence: number): Promise<Thrown> {
  return new Promise((resolve, reject) => {
    setImmediate(function takeRequest() {
      // Nobody waits for this promise: V8 would follow it and list the caller as part of the stack.
      void serve(failure, occurrence, resolve, reject);
    });
  });
}

async function serve(
  failure: Failure,
  occurrence: number,
  resolve: (thrown: Thrown) => void,
  reject: (error: Error) => void,
): Promise<void> {
  try {
    await failure(occurrence);
  } catch (thrown) {
    resolve(new Thrown(thrown));
    return;
  }
  reject(new Error(`${failure.name} was expected to fail, but did not`));
}

/** Holds what was thrown. It may be a promise, which would be awaited if it came without a box. */
export class Thrown {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}
