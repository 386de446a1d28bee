import { BrokerError, QError } from "@q/core/broker";

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const busy = 5;
const readOnly = 8;
const ioError = 10;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notADatabase = 26;

/** Extended codes that a disk, a quota or a file size limit without room gives: a refused write, and a -shm file that cannot grow. */
const ioErrorsWithoutRoom: readonly number[] = [ioError | (3 << 8), ioError | (19 << 8)];
/** A failed fsync. SQLite undoes the transaction, but what reached the disk may come back after a power failure. */
const ioErrorOfFsync = ioError | (4 << 8);

/** SQLite's extended result code, or `undefined` for an error of another kind. */
function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code : undefined;
}

function isPrimary(error: unknown, primary: number): boolean {
  const code = resultCode(error);
  return code !== undefined && (code & 0xff) === primary;
}

/** Another connection holds the lock; trying again helps. */
export function isBusy(error: unknown): boolean {
  return isPrimary(error, busy);
}

/** There is no room for what was to be written. */
export function isDiskFull(error: unknown): boolean {
  return isPrimary(error, full) || ioErrorsWithoutRoom.includes(resultCode(error) ?? 0);
}

/** The file is not one of SQLite's. */
export function isNotADatabase(error: unknown): boolean {
  return isPrimary(error, notADatabase);
}

/** The file or its folder may not be written, or not be opened at all. */
export function isForbidden(error: unknown): boolean {
  return isPrimary(error, readOnly) || isPrimary(error, cannotOpen);
}

/** An error of SQLite as an error of ours; one of ours as it is. */
export function toBrokerError(error: unknown, address: string): QError {
  if (error instanceof QError) return error;
  if (isDiskFull(error)) return diskFull(address, error);
  if (isBusy(error)) return locked(address, error);
  if (resultCode(error) === ioErrorOfFsync) {
    return new BrokerError("Q1102", `the disk did not confirm a write to ${address}: it may be stored`, {
      cause: error,
    });
  }
  if (isPrimary(error, corrupt)) {
    return new BrokerError("Q1015", `${address} is damaged: ${textOf(error)}`, {
      hint: 'stop everything that uses it and save what can be read: sqlite3 old.db ".recover" | sqlite3 new.db',
      cause: error,
    });
  }
  if (isForbidden(error)) {
    return new BrokerError("Q1001", `${address} cannot be written: ${textOf(error)}`, {
      hint: "give this user the right to write the file and its folder",
      cause: error,
    });
  }
  return new BrokerError("Q1012", `${address} failed: ${textOf(error)}`, { cause: error });
}

/** Nobody can write to the file's disk any more. Code `Q1006`. */
export function diskFull(address: string, cause?: unknown): BrokerError {
  return new BrokerError("Q1006", `the disk that holds ${address} is full`, {
    hint: "free some space: sending then works again by itself; what is stored goes on being worked off meanwhile",
    cause,
  });
}

/** Another process kept the write lock for too long. Code `Q1011`. */
export function locked(address: string, cause?: unknown): BrokerError {
  return new BrokerError("Q1011", `${address} stayed locked by another process`, {
    hint: "does another program keep a transaction open on this file?",
    cause,
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
