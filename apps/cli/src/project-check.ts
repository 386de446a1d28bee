import { relative } from "node:path";
import { formatLocation, type App } from "@q/core";
import { qCodeOf } from "./exit-code.ts";
import { loadError } from "./load-error.ts";
import type { LoadedApp } from "./load-app.ts";

/** One thing that `q check` found. */
export interface Finding {
  /** `error` fails the check; a `hint` is worth a look. */
  readonly severity: "error" | "hint";
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** Where in the user's code, when known. */
  readonly at?: string | undefined;
}

export interface CheckResult {
  readonly findings: readonly Finding[];
  /** Task modules that were found, loaded or not. */
  readonly files: readonly string[];
}

/** Loads every task module and looks at what they declare. One mistake does not hide the next. */
export async function checkProject(
  { app, importer }: LoadedApp,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<CheckResult> {
  const findings: Finding[] = [];
  const files: string[] = [];
  const load = async (file: string): Promise<void> => {
    files.push(relative(cwd, file));
    try {
      await importer(file);
    } catch (cause) {
      findings.push(findingOf(loadError(file, cause, cwd), relative(cwd, file)));
    }
  };
  try {
    await app.loadImports(load);
  } catch (error) {
    findings.push(findingOf(error));
  }
  findings.push(...(await scheduleFindings(app)));
  return { findings: [...findings, ...unusedQueues(app), ...schemaHints(app), ...brokerHints(app, env)], files };
}

/** An error of ours as a finding. @throws anything else: that is a bug and not the project's fault */
function findingOf(error: unknown, at?: string): Finding {
  const code = qCodeOf(error);
  if (code === undefined || !(error instanceof Error)) throw error;
  const { hint, details } = error as { hint?: string; details?: Readonly<Record<string, string>> };
  return { severity: "error", code, message: error.message, hint, at: details?.["at"] ?? at };
}

async function scheduleFindings(app: App): Promise<Finding[]> {
  const at = app.definedAt === undefined ? undefined : formatLocation(app.definedAt);
  const found = await app.schedules.check();
  return found.flatMap(({ problem }) => (problem === null ? [] : [findingOf(problem, at)]));
}

function unusedQueues(app: App): Finding[] {
  const used = new Set([...app.tasks.values()].map((task) => task.queue));
  return app.queues
    .filter(({ name }) => !used.has(name))
    .map(({ name }) => ({
      severity: "hint",
      code: "Q2120",
      message: `queue "${name}" is declared and no task here uses it`,
      hint: "fine when another service does, or when senders name it",
      at: app.definedAt === undefined ? undefined : formatLocation(app.definedAt),
    }));
}

/**
 * Producers and workers of different versions are live at once: a field that is required today was absent yesterday.
 * Only schemas that can be asked are: those that validate at once.
 */
function schemaHints(app: App): Finding[] {
  return [...app.tasks.values()].flatMap(({ name, schema, definedAt }) => {
    const fields = schema === undefined ? [] : requiredFields(schema);
    if (fields.length === 0) return [];
    const list = fields.map((field) => `"${field}"`).join(", ");
    return [
      {
        severity: "hint" as const,
        code: "Q2121",
        message: `${name} requires ${list}: messages from a version without ${fields.length === 1 ? "it" : "them"} would fail`,
        hint: "give a field that you add later a default",
        at: formatLocation(definedAt),
      },
    ];
  });
}

interface Validating {
  readonly "~standard": { readonly validate: (value: unknown) => unknown };
}

/** The fields that the schema misses in an empty object. */
function requiredFields(schema: Validating): string[] {
  const names = issuesOf(schema).flatMap(({ path }) => {
    const first = path?.[0];
    const key = typeof first === "object" && first !== null && "key" in first ? first.key : first;
    return typeof key === "string" ? [key] : [];
  });
  return [...new Set(names)];
}

interface Issue {
  readonly path?: readonly unknown[] | undefined;
}

function issuesOf(schema: Validating): readonly Issue[] {
  try {
    const result = schema["~standard"].validate({});
    // One that needs time, perhaps a database, is not waited for; nor may its failure end the process.
    if (result instanceof Promise) result.catch(() => {});
    // Standard Schema's result: `issues` is there when validation failed.
    return (result as { readonly issues?: readonly Issue[] } | undefined)?.issues ?? [];
  } catch {
    // A schema that throws for strange input says nothing about its fields.
    return [];
  }
}

function brokerHints(app: App, env: Readonly<Record<string, string | undefined>>): Finding[] {
  if (!app.hasBroker) {
    return [
      {
        severity: "hint",
        code: "Q2019",
        message: "the config names no broker",
        hint: "set Q_BROKER_URL where it runs, or createApp({ broker })",
      },
    ];
  }
  if (app.broker.name !== "sqlite" || env["NODE_ENV"] !== "production") return [];
  return [
    {
      severity: "hint",
      code: "Q2122",
      message: "SQLite in production works on one host only",
      hint: "more hosts need redis or amqp",
    },
  ];
}
