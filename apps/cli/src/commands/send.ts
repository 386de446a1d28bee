import { Option, type Usage } from "clipanion";
import { didYouMean, formatLocation, formatMs, type App, type SendOptions } from "@q/core";
import { bodySize, type OutgoingMessage } from "@q/core/broker";
import { BrokerCommand } from "../app-command.ts";
import { NotFoundError, UsageError } from "../cli-errors.ts";
import { DryBroker } from "../dry-broker.ts";
import { exitCode } from "../exit-code.ts";
import { flagDuration, flagNumber, flagTime } from "../flag-values.ts";
import { listFlag, switchFlag, valueFlag } from "../flag.ts";
import { loadImports } from "../load-app.ts";
import { readSendArguments } from "../send-arguments.ts";

export class SendCommand extends BrokerCommand {
  static override readonly paths: string[][] = [["send"]];
  static override readonly operands: string = "<task> [args]";
  static override readonly usage: Usage = {
    details:
      "Arguments are JSON: an object, or a list for a task with positional ones. `-` reads them from stdin, `@file` from a file.\n" +
      "They are checked by the task's schema before anything is sent. Prints the id on stdout, all else on stderr.\n" +
      "With --key, a second send with the same key to the same queue within --key-ttl stores nothing and prints no id; it exits 0.\n" +
      "A task that only another service knows is sent by name: say --queue.",
    examples: [
      ["named arguments", `q send hello '{"name":"Ada"}'`],
      ["in five minutes, kept for an hour", `q send report.build @month.json --countdown 5m --expires 1h`],
      ["in a script", `id=$(q send billing.close -q)`],
      ["once a day, however often it is called", `q send report.build --key report-2026-11-22 --key-ttl 1d`],
      ["a task that a Python service owns", `q send billing.charge '[7]' --queue billing`],
    ],
  };

  task: string = Option.String({ name: "task" });
  operand: string | undefined = Option.String({ name: "args", required: false });
  args: string | undefined = valueFlag("-a,--args", "json", "positional arguments, a JSON list");
  kwargs: string | undefined = valueFlag("-k,--kwargs", "json", "named arguments, a JSON object");
  countdown: string | undefined = valueFlag("--countdown,--delay", "duration", "not before this long from now: 5m");
  eta: string | undefined = valueFlag("--eta", "time", "not before this time: 2026-11-22T09:00:00Z");
  expires: string | undefined = valueFlag("--expires", "duration|time", "drop it when it has not started by then");
  queue: string | undefined = valueFlag("--queue", "name", "instead of the task's own queue");
  priority: string | undefined = valueFlag("--priority", "0-9", "higher first, in queues with priorities");
  headers: string[] = listFlag("--header", "name=value", "a header of your own; may be repeated");
  id: string | undefined = valueFlag("--id", "id", "instead of a new one");
  key: string | undefined = valueFlag("--key", "text", "send at most once per key and queue");
  keyTtl: string | undefined = valueFlag("--key-ttl", "duration", "how long --key counts as used (default 1h)");
  dryRun: boolean = switchFlag("--dry-run", "check everything and send nothing");

  async execute(): Promise<number> {
    const args = await readSendArguments(
      { operand: this.operand, positional: this.args, named: this.kwargs },
      this.context,
    );
    const options = this.#options();
    let dry: DryBroker | undefined;
    const sent = await this.withBroker(
      ({ app }) => app.sendTask(this.task, args, options),
      async (loaded) => {
        await loadImports(loaded, this.context);
        this.#assertKnown(loaded.app);
        if (!this.dryRun) return;
        dry = new DryBroker(loaded.app.hasBroker ? loaded.app.broker : undefined);
        loaded.app.use({ broker: dry });
      },
    );
    const [message] = dry?.published ?? [];
    if (this.json)
      this.output.json({
        ...sent,
        dryRun: this.dryRun,
        ...(message === undefined ? {} : { bytes: bodySize(message.body) }),
      });
    else if (message !== undefined) this.output.text(describe(message, sent.task));
    else if (sent.duplicate) {
      this.output.note(`not sent: the key was used before for a task in ${sent.queue}`);
    } else {
      this.output.text(sent.id);
      this.output.note(`sent ${sent.task} to ${sent.queue}`);
    }
    return exitCode.done;
  }

  #options(): SendOptions {
    return {
      countdown: flagDuration("--countdown", this.countdown),
      eta: flagTime("--eta", this.eta),
      expires:
        this.expires === undefined
          ? undefined
          : /^[\d.]+[a-z]+$/.test(this.expires)
            ? flagDuration("--expires", this.expires)
            : flagTime("--expires", this.expires, "a length such as 60s, or a time such as 2026-11-22T09:00:00Z"),
      queue: this.queue,
      priority: flagNumber("--priority", this.priority, { from: 0, to: 9 }),
      taskId: this.id,
      key: this.key,
      keyTtl: flagDuration("--key-ttl", this.keyTtl),
      headers: this.headers.length === 0 ? undefined : headersOf(this.headers),
    };
  }

  /** @throws NotFoundError `Q2104` for a name that the config does not know, unless a queue says where its owner listens */
  #assertKnown(app: App): void {
    const names = [...app.tasks.keys()];
    if (names.includes(this.task)) return;
    const suggestion = didYouMean(this.task, names);
    if (this.queue === undefined) {
      throw new NotFoundError("Q2104", `no task named "${this.task}"`, {
        hint: suggestion ?? "a task of another service needs --queue <name>",
        details: {
          known: `${names.slice(0, 10).join(", ")}${names.length > 10 ? `, and ${names.length - 10} more` : ""}   (${formatLocation(app.definedAt)})`,
        },
      });
    }
    this.output.warn(
      `this config does not know ${this.task}: its arguments were not checked${suggestion === undefined ? "" : `. ${suggestion}`}`,
    );
  }
}

function describe(message: OutgoingMessage, task: string): string {
  const when = message.delayMs === undefined || message.delayMs === 0 ? "at once" : `in ${formatMs(message.delayMs)}`;
  return `Would send ${task} to ${message.queue}, to run ${when}: ${bodySize(message.body)} bytes. Nothing was sent.`;
}

function headersOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((header) => {
      const equals = header.indexOf("=");
      if (equals > 0) return [header.slice(0, equals), header.slice(equals + 1)];
      throw new UsageError("Q2103", "--header expects name=value", { hint: "--header tenant=acme" });
    }),
  );
}
