import { parseTime } from "./celery-time.ts";

/** What kombu 5.3 and later write for values that JSON does not have, by their name there. `undefined`: it is none after all. */
const readers: ReadonlyMap<unknown, (value: unknown) => unknown> = new Map<unknown, (value: unknown) => unknown>([
  ["datetime", readInstant],
  // A day or a time of day is no instant: as a Date it would shift with the time zone.
  ["date", readText],
  ["time", readText],
  ["decimal", readText],
  ["uuid", readUuid],
  ["bytes", (value) => readBytes(value, "utf8")],
  ["base64", (value) => readBytes(value, "base64")],
]);

/**
 * Replaces kombu's typed values, objects of exactly the keys `__type__` and `__value__`, wherever they stand in `container`,
 * in place: datetime by Date, bytes by Uint8Array, the others by text. What is not understood stays. Expects a tree of
 * bounded depth, as the parsers make it.
 */
export function reviveTyped(container: unknown[] | Record<string, unknown>): void {
  if (Array.isArray(container)) {
    container.forEach((item, index) => {
      if (isContainer(item)) container[index] = revived(item);
    });
    return;
  }
  for (const [key, value] of Object.entries(container)) {
    if (isContainer(value)) container[key] = revived(value);
  }
}

function isContainer(value: unknown): value is unknown[] | Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function revived(value: unknown[] | Record<string, unknown>): unknown {
  if (!Array.isArray(value) && "__type__" in value && "__value__" in value && Object.keys(value).length === 2) {
    return readers.get(value["__type__"])?.(value["__value__"]) ?? value;
  }
  reviveTyped(value);
  return value;
}

function readText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function readInstant(value: unknown): Date | undefined {
  const epochMs = typeof value === "string" ? parseTime(value) : null;
  return epochMs === null ? undefined : new Date(epochMs);
}

/** `{ hex }` without dashes, made to what every language prints. */
function readUuid(value: unknown): string | undefined {
  const hex = typeof value === "object" && value !== null ? (value as { hex?: unknown }).hex : undefined;
  if (typeof hex !== "string" || !/^[0-9a-f]{32}$/.test(hex)) return undefined;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function readBytes(value: unknown, encoding: "utf8" | "base64"): Uint8Array | undefined {
  // Copied: a small Buffer shares its memory with others.
  return typeof value === "string" ? new Uint8Array(Buffer.from(value, encoding)) : undefined;
}
