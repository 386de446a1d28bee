import { ConfigError } from "../q-error.ts";

/** A URL of servers, taken apart and decoded. */
export interface ServerUrl {
  /** In lower case, with the colon. */
  readonly scheme: string;
  /** One or more, between commas, as they are written. */
  readonly hosts: string;
  /** With the slash it begins with; empty when there is none. */
  readonly path: string;
  /** Options still to be checked, as text; `username` and `password` are among them. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface ServerUrlForm {
  readonly schemes: readonly string[];
  /** What a good one looks like. */
  readonly example: string;
  /** Parameters that other programs call otherwise: `[name, value]` by ours, or `undefined` when it is none of theirs. */
  readonly translate?: (name: string, value: string) => readonly [string, string] | undefined;
}

/** Scheme, credentials, hosts, path, parameters. More than one host is what `new URL` does not know. */
const shape = /^([a-z+]+:)\/\/(?:([^/?#]*)@)?([^/?#@]*)(\/[^?#@]*)?(?:\?([^#@]*))?$/i;

/**
 * Takes a URL apart. No error repeats any of it, because any part of a mistyped URL can be the password.
 * @throws ConfigError `Q2026`
 */
export function splitServerUrl(url: string, { schemes, example, translate }: ServerUrlForm): ServerUrl {
  const [, written = "", credentials, hosts = "", path = "", query = ""] = shape.exec(url) ?? [];
  const scheme = written.toLowerCase();
  if (!schemes.includes(scheme)) {
    throw new ConfigError("Q2026", `expected a URL like ${example}`, {
      hint: "in a password write @ as %40, / as %2F, : as %3A, ? as %3F and # as %23",
      details: { schemes: schemes.join(" ") },
    });
  }
  const parameters = { ...parseCredentials(credentials, scheme), ...parseQuery(query, translate) };
  return { scheme, hosts, path: decoded(path), parameters };
}

function parseCredentials(text: string | undefined, scheme: string): { username?: string; password?: string } {
  if (text === undefined || text === "") return {};
  const colon = text.indexOf(":");
  if (colon === -1) {
    throw new ConfigError("Q2026", "expected user:password before the @ in the URL of the broker, got one word", {
      hint: `${scheme}//:password@host has no user, ${scheme}//user:@host has no password`,
    });
  }
  const username = decoded(text.slice(0, colon));
  const password = decoded(text.slice(colon + 1));
  return username === "" ? { password } : { username, password };
}

function parseQuery(query: string, translate: ServerUrlForm["translate"]): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = {};
  for (const pair of query === "" ? [] : query.split("&")) {
    const [written = "", ...value] = pair.split("=");
    const text = decoded(value.join("="));
    const [name, meaning] = translate?.(written, text) ?? [decoded(written), text];
    parameters[name] = meaning;
  }
  return parameters;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConfigError("Q2026", "expected %XX escapes in the URL of the broker to be UTF-8", {
      hint: "write a percent sign as %25",
    });
  }
}
