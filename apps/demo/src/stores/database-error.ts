/** The database does not answer now: locked, out of disk, unreachable. Trying later can help. */
export class DatabaseUnavailable extends Error {
  override readonly name: string = "DatabaseUnavailable";
}

/** The database answers, but does not have the shape that this program was written for. A person has to migrate it. */
export class SchemaError extends Error {
  override readonly name: string = "SchemaError";
}

/** The row that the work is about is gone, so there is nothing left to do. */
export class RowMissing extends Error {
  override readonly name: string = "RowMissing";
}

/** Primary result codes of SQLite (https://sqlite.org/rescode.html): busy, locked, I/O error, full, cannot open. */
const unavailableCodes = new Set([5, 6, 10, 13, 14]);

/** The error that a task can act on, or the very same error when it is none of these. */
export function databaseErrorOf(error: unknown): unknown {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return error;
  // The upper bits tell kinds of one code apart.
  const code = error.errcode & 0xff;
  if (unavailableCodes.has(code))
    return new DatabaseUnavailable(`the database is not available: ${error.message}`, { cause: error });
  if (code === 1 && /^no such |has no column /.test(error.message))
    return new SchemaError(error.message, { cause: error });
  return error;
}
