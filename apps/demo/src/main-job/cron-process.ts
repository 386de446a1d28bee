import { Child } from "./child.ts";

/** A `q cron` in a process of its own. */
export class CronProcess {
  readonly child: Child;
  /** Resolves when it sends ticks; `false` when it ended before. */
  readonly ready: Promise<boolean>;
  #markReady: (ready: boolean) => void = () => {};

  /** @param cli path of the `q` command's script */
  constructor(name: string, cli: string) {
    this.ready = new Promise((resolve) => {
      this.#markReady = resolve;
    });
    this.child = new Child(name, cli, ["cron", "--log-format", "json"], (line) => {
      if (line.includes('"event":"scheduler.ready"')) this.#markReady(true);
    });
    void this.child.exited.then(() => this.#markReady(false));
  }
}
