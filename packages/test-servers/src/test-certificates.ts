import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Files in PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const localhost = "DNS:localhost,IP:127.0.0.1";

/** A throw-away certificate authority and what it has signed, each valid for a day unless it says otherwise. */
export class TestCertificates {
  /** The authority's own certificate, for those who are to trust it. */
  readonly ca: string;
  /** Of `localhost` and `127.0.0.1`. */
  readonly server: TestCertificate;
  readonly client: TestCertificate;
  /** As `server`, but no longer valid since yesterday. */
  readonly expired: TestCertificate;
  /** Valid, but of another host. */
  readonly wrongHost: TestCertificate;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.ca = this.#certificate("ca").cert;
    this.server = this.#certificate("server");
    this.client = this.#certificate("client");
    this.expired = this.#certificate("expired");
    this.wrongHost = this.#certificate("wrong-host");
  }

  /** @throws Error when there is no openssl */
  static async create(): Promise<TestCertificates> {
    const made = new TestCertificates(await mkdtemp(join(tmpdir(), "q-tls-")));
    try {
      const { cert, key } = made.#certificate("ca");
      const authority = ["-subj", "/CN=q test authority", "-addext", "basicConstraints=critical,CA:TRUE"];
      await run("openssl", ["req", "-x509", ...newKey, "-keyout", key, "-out", cert, "-days", "1", ...authority]);
      await Promise.all([
        made.#sign("server", { names: localhost, days: 1 }),
        made.#sign("client", { names: "DNS:client.test", days: 1 }),
        made.#sign("expired", { names: localhost, days: -1 }),
        made.#sign("wrong-host", { names: "DNS:elsewhere.test", days: 1 }),
      ]);
      return made;
    } catch (cause) {
      await made.remove();
      throw new Error("expected openssl to make certificates: install it, on Debian with `apt-get install openssl`", {
        cause,
      });
    }
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #certificate(name: string): TestCertificate {
    return { cert: join(this.#folder, `${name}.pem`), key: join(this.#folder, `${name}.key`) };
  }

  async #sign(name: string, { names, days }: { readonly names: string; readonly days: number }): Promise<void> {
    const authority = this.#certificate("ca");
    const { cert, key } = this.#certificate(name);
    const request = join(this.#folder, `${name}.csr`);
    const extensions = join(this.#folder, `${name}.ext`);
    await writeFile(extensions, `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`);
    await run("openssl", ["req", ...newKey, "-keyout", key, "-out", request, "-subj", `/CN=${name}`]);
    const signature = ["-CA", authority.cert, "-CAkey", authority.key, "-set_serial", `0x${serialOf(name)}`];
    const validity = ["-days", String(days), "-extfile", extensions];
    await run("openssl", ["x509", "-req", "-in", request, "-out", cert, ...signature, ...validity]);
  }
}

/** A number of its own for each name. Drawn from a file, as openssl would, they could clash: all are signed at once. */
function serialOf(name: string): string {
  return Buffer.from(name).toString("hex");
}
