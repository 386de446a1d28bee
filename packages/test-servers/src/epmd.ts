import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { rabbitProgram } from "./rabbit-node.ts";
import { lastLines, ServerProcess } from "./server-process.ts";
import { until } from "./until.ts";

const startsWithinMs = 10_000;

/** Erlang's port mapper, by which nodes find each other. Left to itself, a node starts one that outlives it. */
export class Epmd {
  readonly port: number;
  readonly #process: ServerProcess;
  readonly #dir: string;

  private constructor(port: number, process: ServerProcess, dir: string) {
    this.port = port;
    this.#process = process;
    this.#dir = dir;
  }

  /** @throws Error with its last words when it does not start */
  static async start(): Promise<Epmd> {
    const port = await freePort();
    const dir = mkdtempSync(join(tmpdir(), "q-epmd-"));
    const logFile = join(dir, "epmd.log");
    const running = await ServerProcess.start({
      program: rabbitProgram("epmd"),
      args: ["-port", String(port), "-address", "127.0.0.1"],
      logFile,
      ownFolder: dir,
    });
    const epmd = new Epmd(port, running, dir);
    try {
      await until("epmd listens", startsWithinMs, async () => running.ended !== undefined || (await listens(port)));
      if (running.ended !== undefined) throw new Error(`epmd did not start: ${running.ended}: ${lastLines(logFile)}`);
      return epmd;
    } catch (error) {
      await epmd.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#process.end("SIGKILL");
    await rm(this.#dir, { recursive: true, force: true });
  }
}

/** Whether somebody accepts connections on a port of the loopback interface. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", () => answer(true)).once("error", () => answer(false));
  });
}
