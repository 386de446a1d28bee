import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { Flow } from "./flow.ts";
import { freePort, giveBackPort } from "./free-port.ts";

/** Whom a proxy stands in front of, such as a `RedisServer`. */
export interface ProxyTarget {
  readonly port: number;
  /** Default `127.0.0.1`. */
  readonly host?: string;
}

export interface DropRepliesOptions {
  /** Of each chunk of a reply, from 0 to 1. Default 1. */
  readonly probability?: number;
  /** Whether the connection is cut as soon as a reply got lost. Default false: it stays open and silent. */
  readonly thenCut?: boolean;
}

export interface ProxyCounters {
  /** Connections that clients made. */
  readonly accepted: number;
  /** Connections that are open. */
  readonly open: number;
  /** Connections that `cut`, or `dropReplies` with `thenCut`, has ended. */
  readonly cut: number;
  /** Connections that have lost a reply. */
  readonly silenced: number;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
}

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  readonly requests: Flow;
  readonly replies: Flow;
}

const host = "127.0.0.1";
const attempts = 5;

/** Stands between clients and a server and plays the bad network. Until it is told to, it only hands bytes on. */
export class TcpProxy {
  readonly host: string = host;
  readonly port: number;
  readonly #target: ProxyTarget;
  readonly #connections = new Set<Connection>();
  readonly #counters = { accepted: 0, cut: 0, silenced: 0, bytesToServer: 0, bytesToClient: 0 };
  #listener: Server | undefined;
  #latencyMs = 0;
  #msPerByte = 0;
  #drop: Required<DropRepliesOptions> = { probability: 0, thenCut: false };
  #isHolding = false;
  #stopping: Promise<void> | undefined;

  private constructor(target: ProxyTarget, port: number) {
    this.#target = target;
    this.port = port;
  }

  /** Listens on a free port. The target need not be up yet: each connection is made when a client makes one. */
  static async start(target: ProxyTarget): Promise<TcpProxy> {
    for (let attempt = 1; ; attempt += 1) {
      const proxy = new TcpProxy(target, await freePort());
      try {
        await proxy.#listen();
        return proxy;
      } catch (error) {
        // Somebody else has taken the port since the look.
        if (attempt === attempts) throw error;
      }
    }
  }

  get counters(): ProxyCounters {
    return { ...this.#counters, open: this.#connections.size };
  }

  /** Resets all connections, on both sides. New ones are taken. */
  cut(): void {
    for (const connection of this.#connections) this.#cut(connection);
  }

  /**
   * What the server does is done, and the client does not hear of it. From its first lost reply on a connection carries no
   * replies, because TCP never leaves a hole.
   */
  dropReplies({ probability = 1, thenCut = false }: DropRepliesOptions = {}): void {
    this.#drop = { probability, thenCut };
  }

  /** Nothing arrives any more in either direction, and nobody is told. Connections can still be made. */
  blackhole(): void {
    this.#isHolding = true;
    for (const flow of this.#flows()) flow.hold();
  }

  /** Milliseconds that bytes take from now on, in each direction. */
  latency(ms: number): void {
    this.#latencyMs = ms;
  }

  /** Bytes that each connection carries in a second from now on, in each direction. */
  bandwidth(bytesPerSecond: number): void {
    this.#msPerByte = 1000 / bytesPerSecond;
  }

  /** Refuses new connections, as when nobody listens; nobody else is given the port. Those that are open stay. */
  refuse(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  /**
   * Ends all of the above. After a black hole the bytes of both sides go on where they stopped; a connection that has lost a reply
   * is reset.
   */
  async restore(): Promise<void> {
    this.#drop = { probability: 0, thenCut: false };
    this.#latencyMs = 0;
    this.#msPerByte = 0;
    this.#isHolding = false;
    for (const connection of this.#connections) if (connection.replies.hasLost) this.#cut(connection);
    for (const flow of this.#flows()) flow.release();
    await this.#listen();
  }

  /** Resets all connections, listens no more and gives back its port. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    await this.#stopping;
  }

  async #stop(): Promise<void> {
    this.refuse();
    const closing = [...this.#connections].flatMap(({ client, server }) => [closed(client), closed(server)]);
    this.cut();
    await Promise.all(closing);
    giveBackPort(this.port);
  }

  async #listen(): Promise<void> {
    if (this.#listener !== undefined) return;
    // Half-open, so that the end of one direction reaches the other side only after the bytes before it.
    const listener = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    this.#listener = listener;
    listener.listen(this.port, host);
    await once(listener, "listening");
  }

  #accept(client: Socket): void {
    const { port, host: targetHost = host } = this.#target;
    const server = connect({ port, host: targetHost, allowHalfOpen: true });
    const counters = this.#counters;
    counters.accepted += 1;
    const isHeld = this.#isHolding;
    const latencyMs = (): number => this.#latencyMs;
    const msPerByte = (): number => this.#msPerByte;
    const requests = new Flow(client, server, {
      isHeld,
      rules: {
        latencyMs,
        msPerByte,
        losesNext: () => false,
        passed: (chunk) => (counters.bytesToServer += chunk.length),
      },
    });
    const replies = new Flow(server, client, {
      isHeld,
      rules: {
        latencyMs,
        msPerByte,
        losesNext: () => this.#losesReply(connection),
        passed: (chunk) => (counters.bytesToClient += chunk.length),
      },
    });
    const connection: Connection = { client, server, requests, replies };
    this.#connections.add(connection);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.setNoDelay(true);
      // The other side hears of it by a reset of its own.
      socket.on("error", () => reset(other));
      socket.on("close", () => {
        if (client.destroyed && server.destroyed) this.#connections.delete(connection);
      });
    }
  }

  #losesReply(connection: Connection): boolean {
    const { probability, thenCut } = this.#drop;
    if (Math.random() >= probability) return false;
    this.#counters.silenced += 1;
    if (thenCut) this.#cut(connection);
    return true;
  }

  #cut(connection: Connection): void {
    this.#connections.delete(connection);
    this.#counters.cut += 1;
    reset(connection.client);
    reset(connection.server);
  }

  #flows(): Flow[] {
    return [...this.#connections].flatMap(({ requests, replies }) => [requests, replies]);
  }
}

function reset(socket: Socket): void {
  // A reset waits until there is a connection, which may be never; and of one that is just ending, Node never says that it has closed.
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

async function closed(socket: Socket): Promise<void> {
  if (socket.closed) return;
  await new Promise((resolve) => {
    socket.once("close", resolve);
  });
}
