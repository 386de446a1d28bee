import { formatMs, type Worker } from "@q/core";
import type { QueueInspector } from "@q/core/broker";
import type { Colors } from "../output/colors.ts";
import { formatCount } from "../output/numbers.ts";
import type { Screen } from "./screen.ts";
import type { Tally } from "./tally.ts";

const redrawMs = 250;
const askMs = 2000;

export interface FooterSources {
  readonly worker: Worker;
  readonly tally: Tally;
  /** Absent: waiting and oldest are left out. */
  readonly inspector: QueueInspector | undefined;
}

/** The two lines at the bottom of a terminal, redrawn four times a second until `stop`. */
export class Footer {
  readonly #screen: Screen;
  readonly #colors: Colors;
  readonly #sources: FooterSources;
  readonly #timers: NodeJS.Timeout[] = [];
  #waiting = "";

  constructor(screen: Screen, colors: Colors, sources: FooterSources) {
    this.#screen = screen;
    this.#colors = colors;
    this.#sources = sources;
  }

  start(): void {
    this.#timers.push(
      setInterval(() => this.#draw(), redrawMs).unref(),
      setInterval(() => void this.#ask(), askMs).unref(),
    );
    void this.#ask();
    this.#draw();
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    this.#screen.setFooter([]);
  }

  #draw(): void {
    const { worker, tally } = this.#sources;
    const { ended, failing } = tally.lastMinute();
    const share = failing === 0 ? "" : `   failing ${(failing * 100).toFixed(1)}%`;
    const state = worker.state === "running" ? "" : `   ${worker.state}`;
    const text = ` ${worker.stats().busy}/${worker.concurrency} busy   ${formatCount(ended)}/min${share}${this.#waiting}${state}`;
    this.#screen.setFooter([
      this.#colors.dim("─".repeat(Math.min(76, this.#screen.columns))),
      text.slice(0, this.#screen.columns),
    ]);
  }

  /** What waits, in the queues of this worker. A broker that does not answer leaves the old figure out rather than standing. */
  async #ask(): Promise<void> {
    const { inspector, worker } = this.#sources;
    if (inspector === undefined) return;
    try {
      const stats = await Promise.all([...new Set(worker.queues)].map((queue) => inspector.stats(queue)));
      const ready = stats.reduce<number | null>(
        (sum, one) => (sum === null || one.ready === null ? null : sum + one.ready),
        0,
      );
      const oldestMs = Math.max(0, ...stats.map((one) => one.oldestReadyMs ?? 0));
      this.#waiting =
        ready === null
          ? ""
          : `   waiting ${formatCount(ready)}${oldestMs > 0 ? `   oldest ${formatMs(oldestMs)}` : ""}`;
    } catch {
      // The worker itself reports a broker that is away.
      this.#waiting = "";
    }
  }
}
