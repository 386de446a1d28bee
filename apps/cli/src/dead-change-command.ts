import type { App } from "@q/core";
import type { QueueInspector } from "@q/core/broker";
import { AskingCommand, inspectorOf } from "./app-command.ts";
import { UsageError } from "./cli-errors.ts";
import { confirm } from "./confirm.ts";
import { deadByIds, describeLetter, eachDead, type FoundLetter } from "./dead-letters.ts";
import { exitCode } from "./exit-code.ts";
import { listFlag, switchFlag, valueFlag } from "./flag.ts";
import { counted, formatCount } from "./output/numbers.ts";

/** What a command does to dead letters, in words. */
interface Verb {
  readonly name: "retry" | "drop";
  readonly question: "Retry" | "Drop";
  readonly past: string;
  /** Whether it cannot be undone; such a change always asks. */
  readonly isFinal: boolean;
}

/** What a change is about, looked at before anything is asked or done. */
interface Survey {
  readonly count: number;
  /** The first few, for people. */
  readonly samples: readonly FoundLetter[];
  /** The letters themselves. Reads them anew where there may be too many to hold. */
  readonly letters: () => AsyncIterable<FoundLetter> | Iterable<FoundLetter>;
}

const mostSamples = 20;
/** Letters per call to the broker. */
const batchSize = 500;

/** What `q dead retry` and `q dead drop` share: which letters are meant, asking first, telling the number. */
export abstract class DeadChangeCommand extends AskingCommand {
  queues: string[] = listFlag("-Q,--queues", "names", "only in these queues");
  task: string | undefined = valueFlag("--task", "name", "with --all: only of this task");
  all: boolean = switchFlag("--all", "every dead task that the filters leave");
  abstract readonly ids: string[];

  protected abstract readonly verb: Verb;

  /** Changes letters of one queue; answers how many there still were. */
  protected abstract change(inspector: QueueInspector, queue: string, letters: readonly FoundLetter[]): Promise<number>;

  async execute(): Promise<number> {
    const { name, question, isFinal } = this.verb;
    if (this.all === this.ids.length > 0) {
      throw new UsageError("Q2103", this.all ? "--all and ids exclude each other" : "expected ids, or --all", {
        hint: `q dead ${name} <id>, or q dead ${name} --all --task <name>`,
      });
    }
    return this.withBroker(async ({ app }) => {
      const inspector = inspectorOf(app.broker);
      const survey = await this.#survey(app, inspector);
      if (this.dryRun) return this.#report(survey, 0);
      if (survey.count > 0 && (this.all || isFinal)) {
        const asked = {
          question: `${question} ${counted(survey.count, "dead task")}${isFinal ? " for good" : ""}?`,
          samples: survey.samples.slice(0, 3).map(describeLetter),
        };
        if (!(await confirm(this.context, asked, { yes: this.yes }))) return this.#report(survey, 0);
      }
      return this.#report(survey, await this.#changeAll(inspector, survey));
    });
  }

  /** A snapshot: what dies while the question is open is not touched by the answer. */
  async #survey(app: App, inspector: QueueInspector): Promise<Survey> {
    if (!this.all) {
      const found = await deadByIds(app, inspector, { words: this.ids, queues: this.queues, isChange: true });
      return { count: found.length, samples: found.slice(0, mostSamples), letters: () => found };
    }
    const filter = { queues: this.queues, task: this.task };
    const samples: FoundLetter[] = [];
    let count = 0;
    let diedBy = 0;
    for await (const one of eachDead(app, inspector, filter)) {
      count += 1;
      diedBy = Math.max(diedBy, one.letter.diedAt);
      if (samples.length < mostSamples) samples.push(one);
    }
    return { count, samples, letters: () => eachDead(app, inspector, { ...filter, diedBy }) };
  }

  async #changeAll(inspector: QueueInspector, { letters }: Survey): Promise<number> {
    let changed = 0;
    let batch: FoundLetter[] = [];
    const flush = async (): Promise<void> => {
      const [first] = batch;
      if (first !== undefined) changed += await this.change(inspector, first.queue, batch);
      batch = [];
    };
    for await (const one of letters()) {
      if (batch.length === batchSize || batch[0]?.queue !== one.queue) await flush();
      batch.push(one);
    }
    await flush();
    return changed;
  }

  #report({ count, samples }: Survey, changed: number): number {
    const { name, past } = this.verb;
    if (this.json) this.output.json({ found: count, changed, dryRun: this.dryRun });
    else if (this.dryRun) {
      const more = count > samples.length ? [`  and ${formatCount(count - samples.length)} more`] : [];
      const lines = samples.map((one) => `  ${describeLetter(one)}`);
      this.output.text([`Would ${name} ${counted(count, "dead task")}.`, ...lines, ...more].join("\n"));
    } else if (changed === 0) this.output.text("Nothing was changed.");
    else
      this.output.text(
        `${past} ${changed < count ? `${formatCount(changed)} of ` : ""}${counted(count, "dead task")}.`,
      );
    return exitCode.done;
  }
}
