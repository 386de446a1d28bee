/** What a variable says. One that is empty says nothing, as in `Q_CONFIG= q check`. */
export function variableOf(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  return env[name] === "" ? undefined : env[name];
}

/** A value and who gave it: a flag, an environment variable, the config, or nobody. */
export interface Setting<T> {
  readonly value: T;
  /** `--concurrency`, `Q_CONCURRENCY`, `q.config.ts`, `default`. */
  readonly from: string;
}

/** Where a setting may come from: its flag with the given text, its variable, and what makes a value of the text. */
export interface SettingSource<T> {
  readonly flag: string;
  readonly given: string | undefined;
  readonly variable?: string;
  /** @throws an error that names `from` when the text does not fit */
  readonly read: (from: string, text: string) => T;
}

/** The first that is there: flag, environment, default. */
export function readSetting<T>(
  source: SettingSource<T>,
  env: Readonly<Record<string, string | undefined>>,
  fallback: T,
): Setting<T> {
  const { flag, given, variable, read } = source;
  if (given !== undefined) return { value: read(flag, given), from: flag };
  const text = variable === undefined ? undefined : env[variable];
  if (variable === undefined || text === undefined || text === "") return { value: fallback, from: "default" };
  return { value: read(variable, text), from: variable };
}
