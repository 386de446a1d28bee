import type { Redis } from "ioredis";
import { createSingleClient, reconnectPauseMs } from "./connect.ts";
import type { Settings } from "./options.ts";

/** Where a Sentinel tells that another server is the master: `<name> <old host> <old port> <new host> <new port>`. */
const channel = "+switch-master";

/**
 * Listens to all Sentinels for a new master. When people ask for a failover, the old master lives on and takes writes for ten seconds more, all of
 * which are lost. Each Sentinel tells when it knows; after the last one's word every one of them leads to the new master.
 */
export class FailoverWatch {
  readonly #listeners = new Set<() => void>();
  readonly #sentinels: readonly Redis[];

  /** Begins to listen. Where there are no Sentinels, nothing is ever heard. */
  constructor(settings: Settings) {
    const { target } = settings;
    this.#sentinels =
      target.kind === "sentinel"
        ? target.sentinels.map((place) =>
            createSingleClient(
              settings,
              { ...settings.sentinelLogin, ...place },
              {
                connectTimeout: settings.timeoutMs,
                maxRetriesPerRequest: null,
                retryStrategy: reconnectPauseMs,
              },
            ),
          )
        : [];
    for (const sentinel of this.#sentinels) {
      sentinel.on("message", (_channel: string, text: string) => {
        if (target.kind === "sentinel" && text.startsWith(`${target.master} `)) this.#tell();
      });
      // Whenever it has come. When that fails the connection has ended again, or this user may not: then nothing is heard.
      sentinel.on("ready", () => void sentinel.subscribe(channel).catch(() => undefined));
      sentinel.connect().catch(() => undefined);
    }
  }

  /** Calls back when there may be a new master, several times for each. */
  onSwitch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
    for (const sentinel of this.#sentinels) sentinel.disconnect();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
