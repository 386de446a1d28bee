import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { RedisServer } from "@q/test-servers";

/** A command as a client sent it. What scripts do inside is not in it. */
export interface Seen {
  readonly at: number;
  /** Address of the client. */
  readonly client: string;
  readonly words: readonly string[];
}

/** Hears every command that clients send to a server. */
export class Monitor {
  readonly seen: Seen[] = [];
  readonly #socket: Socket;
  #rest = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1").on("data", (chunk: string) => this.#hear(chunk));
  }

  static async start(server: RedisServer): Promise<Monitor> {
    const socket = connect(server.unixSocket);
    await once(socket, "connect");
    socket.write("MONITOR\r\n");
    return new Monitor(socket);
  }

  stop(): Promise<void> {
    this.#socket.destroy();
    return Promise.resolve();
  }

  #hear(chunk: string): void {
    const lines = (this.#rest + chunk).split("\r\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const [, client = "", text] = /^\+[\d.]+ \[\d+ ([^\]]+)\] (.*)$/.exec(line) ?? [];
      if (text === undefined || client === "lua" || client.startsWith("unix:")) continue;
      const words = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = ""]) => word);
      this.seen.push({ at: Date.now(), client, words });
    }
  }
}
