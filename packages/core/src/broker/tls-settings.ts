import { readFileSync } from "node:fs";
import { ConfigError } from "../q-error.ts";
import { BrokerError } from "./broker-error.ts";
import type { OptionValues } from "./option-values.ts";

/** How to encrypt the connection to a server. PEM is the name of a file, or the text itself. */
export interface TlsSettings {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly servername: string | undefined;
  readonly insecure: boolean;
}

/** Options that only make sense with TLS. */
export const tlsOptionNames = ["ca", "cert", "key", "servername", "insecure"] as const;

/**
 * Reads the options `tls`, `ca`, `cert`, `key`, `servername` and `insecure`; `undefined` when the connection is plain.
 * @param byUrl whether the URL asks for TLS, and the scheme that would
 * @throws ConfigError `Q2027`
 */
export function readTls(
  values: OptionValues,
  byUrl: { readonly tls: boolean; readonly scheme: string },
): TlsSettings | undefined {
  const [ca, cert, key, servername] = (["ca", "cert", "key", "servername"] as const).map((name) => values.text(name));
  const insecure = values.flag("insecure") ?? false;
  if (!(values.flag("tls") ?? byUrl.tls)) {
    const unused = tlsOptionNames.find((name) => values.has(name));
    if (unused === undefined) return undefined;
    // Whoever asks for it believes that the connection is encrypted.
    throw new ConfigError("Q2027", `${unused} is for TLS, and the connection has none`, {
      hint: `begin the URL with ${byUrl.scheme}`,
    });
  }
  if ((cert === undefined) !== (key === undefined))
    throw new ConfigError("Q2027", "expected cert and key together", { hint: "one file may hold both: name it twice" });
  return { ca, cert, key, servername, insecure };
}

/**
 * What `node:tls` takes.
 * @throws BrokerError `Q1021` when a file cannot be read
 */
export function tlsConnectOptions({
  ca,
  cert,
  key,
  servername,
  insecure,
}: TlsSettings): Record<string, string | boolean> {
  const given = Object.entries({ ca, cert, key, servername }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, name === "servername" ? value : readPem(name, value)] as const],
  );
  return { ...Object.fromEntries(given), rejectUnauthorized: !insecure };
}

/** A file that is renewed counts from the next connection on that is made anew. */
function readPem(option: string, fileOrText: string): string {
  if (fileOrText.includes("-----BEGIN")) return fileOrText;
  try {
    return readFileSync(fileOrText, "utf8");
  } catch (error) {
    // What was given is not repeated: it may be a key after all. So neither is the cause.
    const reason = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new BrokerError("Q1021", `the file that the option ${option} names cannot be read (${reason})`, {
      hint: "does it exist, and may this user read it?",
    });
  }
}
