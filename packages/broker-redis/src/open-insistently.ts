import { sleep } from "@q/core/broker";
import { Connection, type ConnectionOptions } from "./connection.ts";

/** Between two attempts. Milliseconds. */
const pauseMs = 50;

/**
 * Opens a connection, and tries again when it cannot be had.
 * @param goesOn told why an attempt failed, and whether there is to be another one
 * @throws what the last attempt threw
 */
export async function openInsistently(
  options: ConnectionOptions,
  goesOn: (failure: unknown) => boolean,
): Promise<Connection> {
  for (;;) {
    try {
      return await Connection.open(options);
    } catch (error) {
      if (!goesOn(error)) throw error;
      await sleep(options.clock, pauseMs);
    }
  }
}
