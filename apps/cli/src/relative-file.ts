import { existsSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import type { LoadedApp } from "./load-app.ts";

/**
 * What to tell about a SQLite file that is relative to the working directory when the config lies in another folder: who runs beside the config
 * has another file, and what is sent here stays here. `undefined` for every other broker, for one that `--broker` names on the spot, and where
 * nobody seems to run beside the config: a compiled one in `dist` is used from the folder above.
 */
export function relativeFileWarning({ app, configPath, brokerFrom }: LoadedApp, cwd: string): string | undefined {
  const { address } = app.broker;
  const folder = dirname(configPath);
  const path = /^sqlite:(.+)$/s.exec(address)?.[1];
  if (path === undefined || isAbsolute(path) || folder === cwd || brokerFrom === "--broker") return undefined;
  const besideConfig = resolve(folder, path);
  const isFoundUpward = !relative(folder, cwd).startsWith("..");
  if (!isFoundUpward && !existsSync(besideConfig)) return undefined;
  return `${address} is relative to the working directory: here it is ${resolve(cwd, path)}, beside the config ${besideConfig}. Run q in ${folder}, or make the path absolute`;
}
