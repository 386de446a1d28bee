import { dirname, isAbsolute, resolve } from "node:path";
import type { LoadedApp } from "./load-app.ts";

/**
 * What to tell about a SQLite file that is relative to the working directory when the config was found in another folder: who runs beside the
 * config has another file, and what is sent here stays here. `undefined` for every other broker, and for one that `--broker` names on the spot.
 */
export function relativeFileWarning({ app, configPath, brokerFrom }: LoadedApp, cwd: string): string | undefined {
  const { address } = app.broker;
  const folder = dirname(configPath);
  const path = /^sqlite:(.+)$/s.exec(address)?.[1];
  if (path === undefined || isAbsolute(path) || folder === cwd || brokerFrom === "--broker") return undefined;
  return `${address} is relative to the working directory: here it is ${resolve(cwd, path)}, beside the config ${resolve(folder, path)}. Run q in ${folder}, or make the path absolute`;
}
