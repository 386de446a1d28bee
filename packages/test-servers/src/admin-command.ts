import { Redis } from "ioredis";

export interface AdminAccess {
  /** Of the server's socket. */
  readonly path: string;
  readonly username?: string;
  readonly password?: string;
}

const answersWithinMs = 10_000;

/**
 * Sends one command on a connection of its own: one that was kept might have been killed, with its server or by a test.
 * @throws Error of the server, or that it cannot be reached, or that it has not answered within 10 seconds
 */
export async function adminCommand(
  access: AdminAccess,
  name: string,
  ...args: readonly (string | number | Buffer)[]
): Promise<unknown> {
  const redis = new Redis({
    ...access,
    lazyConnect: true,
    enableReadyCheck: false,
    connectTimeout: answersWithinMs,
    commandTimeout: answersWithinMs,
    retryStrategy: () => null,
  });
  // What is wrong with the connection, the command says.
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}
