import type { Usage } from "clipanion";
import { relative } from "node:path";
import { AppCommand } from "../app-command.ts";
import { exitCode } from "../exit-code.ts";
import { switchFlag } from "../flag.ts";
import type { LoadedApp } from "../load-app.ts";
import { counted } from "../output/numbers.ts";
import { printable } from "../output/printable.ts";
import { redact } from "../output/redact.ts";
import type { Column } from "../output/table.ts";
import { checkProject, type CheckResult, type Finding } from "../project-check.ts";
import { variableOf, type Setting } from "../setting.ts";
import { readWorkerSettings } from "../worker/worker-settings.ts";

const columns: readonly Column[] = [
  { title: "SETTING", align: "left" },
  { title: "VALUE", align: "left" },
  { title: "FROM", align: "left" },
];

export class CheckCommand extends AppCommand {
  static override readonly paths: string[][] = [["check"]];
  static override readonly usage: Usage = {
    details:
      "Loads the config and every task module, and lists what is wrong with them: all of it, not only the first. Connects to nothing. Exit 1 when there is an error.",
    examples: [
      ["in CI", "q check"],
      ["which value counts, and who set it", "q check --print-config"],
    ],
  };

  printConfig: boolean = switchFlag("--print-config", "also show each setting and where it comes from");

  async execute(): Promise<number> {
    const loaded = await this.loadApp();
    const result = await checkProject(loaded, this.context.cwd, this.context.env);
    const errors = result.findings.filter(({ severity }) => severity === "error");
    const settings = this.printConfig ? this.#settings(loaded) : undefined;
    if (this.json) this.#printJson(loaded, result, settings);
    else this.#print(loaded, result, settings);
    return errors.length === 0 ? exitCode.done : exitCode.failed;
  }

  #print(
    { app, configPath }: LoadedApp,
    { findings, files }: CheckResult,
    settings: readonly SettingLine[] | undefined,
  ): void {
    const { bold, green, red } = this.output.colors;
    if (settings !== undefined) {
      this.output.table(
        columns,
        settings.map(({ name, value, from }) => [name, value, from]),
      );
      this.output.text("");
    }
    for (const finding of findings) this.output.text(this.#lines(finding));
    const errors = findings.filter(({ severity }) => severity === "error").length;
    const what = `${counted(app.tasks.size, "task")} in ${counted(files.length, "file")}, ${counted(app.queues.length, "queue")}`;
    const verdict = errors === 0 ? green("ok") : red(counted(errors, "error"));
    this.output.text(`${bold(relative(this.context.cwd, configPath))}  ${verdict}  ${what}`);
  }

  #lines({ severity, code, message, hint, at }: Finding): string {
    const { dim, red, yellow } = this.output.colors;
    const label = severity === "error" ? red("error") : yellow("hint ");
    const more = [hint, at === undefined ? undefined : `at ${at}`].filter((line) => line !== undefined);
    return [
      `${label} ${code}  ${redact(printable(message))}`,
      ...more.map((line) => dim(`             ${redact(printable(line))}`)),
    ].join("\n");
  }

  #printJson(
    { app, configPath }: LoadedApp,
    { findings, files }: CheckResult,
    settings: readonly SettingLine[] | undefined,
  ): void {
    this.output.json({
      config: configPath,
      files,
      tasks: [...app.tasks.values()].map(({ name, queue }) => ({ name, queue })),
      queues: app.queues,
      findings: findings.map(redacted),
      ...(settings === undefined ? {} : { settings }),
    });
  }

  #settings({ app, configPath, brokerFrom }: LoadedApp): SettingLine[] {
    const file = relative(this.context.cwd, configPath);
    const worker = readWorkerSettings({}, this.context.env);
    const lines: SettingLine[] = [
      {
        name: "config",
        value: file,
        from:
          this.config !== undefined
            ? "--config"
            : variableOf(this.context.env, "Q_CONFIG") !== undefined
              ? "Q_CONFIG"
              : "found upward",
      },
      {
        name: "broker",
        value: app.hasBroker ? redact(app.broker.address) : "none",
        from: brokerFrom === "config" ? file : brokerFrom,
      },
      {
        name: "app queues",
        value: app.queues.map(({ name, priorities }) => (priorities ? `${name} (priorities)` : name)).join(", "),
        from: file,
      },
      { name: "imports", value: app.imports.patterns.join(", "), from: file },
    ];
    const settings: readonly (readonly [string, Setting<string | number | undefined | readonly string[]>])[] =
      Object.entries(worker);
    for (const [name, { value, from }] of settings) lines.push({ name: `worker ${name}`, value: shown(value), from });
    return lines;
  }
}

interface SettingLine {
  readonly name: string;
  readonly value: string;
  readonly from: string;
}

function redacted(finding: Finding): Finding {
  const { message, hint, at } = finding;
  return { ...finding, message: redact(message), hint: hint && redact(hint), at: at && redact(at) };
}

function shown(value: string | number | undefined | readonly string[]): string {
  if (value === undefined) return "none";
  if (typeof value === "string" || typeof value === "number") return String(value);
  return value.length === 0 ? "all" : value.join(", ");
}
