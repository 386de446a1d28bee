/** An event that the service does not take. The client has to change it; sending it again cannot help. */
export class EventRefused extends Error {
  override readonly name: string = "EventRefused";
  /** HTTP status of the answer. */
  readonly status: 400 | 413;
  /** `too_large`, `not_json`, `too_deep`, `missing_field` or `invalid_field`. Stable. */
  readonly code: string;
  /** The field, such as `exception.values[0].type`. Absent when the whole body is meant. */
  readonly path: string | undefined;

  constructor(status: 400 | 413, code: string, message: string, path?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.path = path;
  }
}
