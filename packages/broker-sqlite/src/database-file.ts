import { closeSync, existsSync, mkdirSync, openSync, readSync, realpathSync, statSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { BrokerError } from "@q/core/broker";
import { applicationId, migrations } from "./schema.ts";

/**
 * `statfs` magic numbers of file systems that are shared by machines (linux/magic.h). SQLite's WAL needs memory that all
 * processes share, and locks that hold: on these a file is corrupted sooner or later.
 */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x01021997, "9P"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x5346414f, "AFS"],
  [0x7461636f, "OCFS2"],
  [0x01161970, "GFS2"],
]);

const headerBytes = 100;
const magic = "SQLite format 3\0";

/**
 * Makes the folder and an empty file that only its owner may read, where there is none; else looks whether the file may be ours,
 * without SQLite and without changing a byte, unless it may be in use.
 * @throws BrokerError `Q1001` it cannot be made or read, `Q1007` it is something else, `Q1008` it is from a newer version, `Q1009` it is on a network
 */
export function prepareDatabaseFile(path: string, address: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    refuseNetwork(path, address);
    // An empty file is a new database to SQLite; its -wal and -shm files get the mode of this one.
    if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
  } catch (cause) {
    if (cause instanceof BrokerError) throw cause;
    // A file that may be read and not written is looked at all the same: what it is matters more.
    if (!existsSync(path) || !statSync(path).isFile()) throw cannotOpen(address, cause);
  }
  if (!mayBeOpen(path)) checkHeader(readHeader(path, address), address);
}

/**
 * When this process closes a file, the system drops all locks that it has on it, also those of SQLite connections: another program may then delete
 * the write-ahead log under them. A file in use has a -shm file beside it, and is left to SQLite.
 */
function mayBeOpen(path: string): boolean {
  return existsSync(`${realpathSync(path)}-shm`);
}

function refuseNetwork(path: string, address: string): void {
  const type = statfsSync(dirname(path)).type;
  const network = networkFileSystems.get(type);
  if (network === undefined) return;
  throw new BrokerError(
    "Q1009",
    `${address} is on a network file system (${network}), where SQLite cannot keep several processes apart`,
    {
      hint: "put the file on a local disk, or use a Redis or RabbitMQ broker when several machines share the queues",
    },
  );
}

function readHeader(path: string, address: string): Buffer {
  const header = Buffer.alloc(headerBytes);
  try {
    const fd = openSync(path, "r");
    try {
      return header.subarray(0, readSync(fd, header, 0, headerBytes, 0));
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw cannotOpen(address, cause);
  }
}

function checkHeader(header: Buffer, address: string): void {
  if (header.length === 0) return;
  if (header.length < headerBytes || header.toString("latin1", 0, magic.length) !== magic)
    throw notAQueue(address, "is not a SQLite database");
  checkVersion({ version: header.readUInt32BE(60), application: header.readUInt32BE(68) }, address);
}

/**
 * Whether a file with these numbers in its header can be used.
 * @throws BrokerError `Q1007` it belongs to another program, `Q1008` it is from a newer version
 */
export function checkVersion(
  { version, application }: { readonly version: number; readonly application: number },
  address: string,
): void {
  // The first process to open a new file writes both numbers in the transaction that makes the tables.
  if (application === 0 && version === 0) return;
  if (application !== applicationId) throw notAQueue(address, "is a database of another program");
  if (version > migrations.length) {
    throw new BrokerError(
      "Q1008",
      `${address} has format ${version}; this version of q knows formats up to ${migrations.length}`,
      {
        hint: "a newer q wrote it: update @q/broker-sqlite here too, or use another file",
      },
    );
  }
}

/** The file holds something that is not a queue. Code `Q1007`. */
export function notAQueue(address: string, what: string, cause?: unknown): BrokerError {
  return new BrokerError("Q1007", `${address} ${what}; it was left as it is`, {
    hint: "name another file; q makes it",
    cause,
  });
}

/** The file cannot be made or read. Code `Q1001`. */
export function cannotOpen(address: string, cause: unknown): BrokerError {
  return new BrokerError(
    "Q1001",
    `${address} could not be opened: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      hint: "does the folder exist, and may this user write to it?",
      cause,
    },
  );
}
