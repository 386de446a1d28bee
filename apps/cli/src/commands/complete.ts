import { Option } from "clipanion";
import { spawn } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { AppCommand } from "../app-command.ts";
import type { DynamicKind } from "../completion/completion-spec.ts";
import { NameCache } from "../completion/name-cache.ts";
import { typableNames } from "../completion/typable-names.ts";
import { newestDead } from "../dead-letters.ts";
import { exitCode } from "../exit-code.ts";
import { findConfig } from "../find-config.ts";
import { switchFlag } from "../flag.ts";
import { loadImports } from "../load-app.ts";
import { messageIdOf } from "../message-summary.ts";
import { variableOf } from "../setting.ts";

const freshMs = 60_000;
const limitMs = 200;
const lookMs = 20;

/**
 * Prints names for the shell, one a line, within 200 ms and without ever complaining. It answers from a file, and has a process of its own
 * behind it bring that file up to date.
 */
export class CompleteCommand extends AppCommand {
  static override readonly paths: string[][] = [["__complete"]];

  kind: string = Option.String({ name: "kind" });
  refresh: boolean = switchFlag("--refresh", "look them up and keep them");

  async execute(): Promise<number> {
    try {
      const configPath = findConfig(this.context.cwd, this.config ?? variableOf(this.context.env, "Q_CONFIG"));
      const cache = new NameCache(`${configPath} ${this.kind}`);
      if (this.refresh) await cache.write(await this.#lookUp(this.kind as DynamicKind));
      else for (const name of typableNames(await this.#namesFrom(cache))) this.output.text(name);
    } catch {
      // A shell shows whatever a completion says in the middle of the line that is being typed. So it says nothing.
    }
    return exitCode.done;
  }

  async #namesFrom(cache: NameCache): Promise<readonly string[]> {
    const known = await cache.read();
    if (known !== undefined && known.ageMs < freshMs) return known.names;
    this.#refreshBehind();
    if (known !== undefined) return known.names;
    for (const until = performance.now() + limitMs; performance.now() < until; await wait(lookMs)) {
      const found = await cache.read();
      if (found !== undefined) return found.names;
    }
    return [];
  }

  #refreshBehind(): void {
    const [node = process.execPath, script] = process.argv;
    if (script === undefined) return;
    const config = this.config === undefined ? [] : ["--config", this.config];
    spawn(node, [...process.execArgv, script, "__complete", this.kind, "--refresh", ...config], {
      cwd: this.context.cwd,
      detached: true,
      stdio: "ignore",
    }).unref();
  }

  async #lookUp(kind: DynamicKind): Promise<readonly string[]> {
    const loaded = await this.loadApp();
    const { app } = loaded;
    if (kind === "queues") return app.queues.map(({ name }) => name);
    if (kind === "tasks") {
      await loadImports(loaded, this.context);
      return [...app.tasks.keys()];
    }
    if (kind === "schedules" && app.broker.schedules === undefined)
      return app.schedules.declared.map(({ name }) => name);
    await app.open();
    try {
      if (kind === "schedules") return (await app.schedules.list()).map(({ name }) => name);
      const found =
        app.broker.inspector === undefined
          ? []
          : await newestDead(app, app.broker.inspector, { queues: [], limit: 50 });
      return found.map(({ letter }) => messageIdOf(letter.message) ?? letter.entryId);
    } finally {
      await app.close();
    }
  }
}
