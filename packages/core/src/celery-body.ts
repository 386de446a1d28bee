import { brotliDecompressSync, unzipSync, type ZlibOptions } from "node:zlib";
import { bodyBytes, bodySize, type BrokerMessage, type MessageBody } from "./broker/broker-message.ts";
import { DecodeError, quoted } from "./decode-error.ts";
import { JsonError, maxJsonDepth, parseJson, type JsonObject } from "./json.ts";
import { parsePythonJson } from "./python-json.ts";

/** How much of a foreign message is looked at before it is refused. */
export interface DecodeLimits {
  /** Bytes of the body as stored. */
  readonly maxBytes: number;
  /** Bytes of the body once decompressed. */
  readonly maxInflatedBytes: number;
  /** Levels of arrays and objects; the list that every body is counts as one. */
  readonly maxDepth: number;
}

/** 1 MiB stored, 8 MiB decompressed, 64 levels. */
export const defaultDecodeLimits: DecodeLimits = {
  maxBytes: 1024 * 1024,
  maxInflatedBytes: 8 * 1024 * 1024,
  maxDepth: maxJsonDepth,
};

/** The JSON value that a body holds. */
export interface ReadBody {
  readonly value: unknown;
  /** Whether kombu's typed values may be in it: most bodies need no second look. */
  readonly mayBeTyped: boolean;
}

/**
 * From bytes to JSON, refusing at the first step that fails: size, content type, compression, nesting, syntax. The order matters,
 * because each step trusts what the one before it has bounded.
 * @throws DecodeError `Q4101` to `Q4105`
 */
export function readBody(message: BrokerMessage, headers: JsonObject, limits: DecodeLimits): ReadBody {
  const { body, properties } = message;
  const { compression, lang } = headers;
  const size = bodySize(body);
  if (size > limits.maxBytes) throw tooLarge(`the body has ${size} bytes`, limits.maxBytes);
  if (properties.contentType !== "application/json") {
    throw new DecodeError(
      "Q4102",
      `expected the content type "application/json", got ${quoted(properties.contentType)}`,
      'in the Celery app that sends it, set task_serializer = "json"; pickle and yaml can run code and are never read',
    );
  }
  if (!isUtf8Name(properties.contentEncoding)) {
    throw new DecodeError("Q4102", `expected the content encoding "utf-8", got ${quoted(properties.contentEncoding)}`);
  }
  const text = decodeText(
    isNone(compression) ? body : decompress(bodyBytes(body), compression, limits.maxInflatedBytes),
  );
  try {
    // JavaScript writes plain JSON: a long integer of its is a number, and what looks like a typed value is an object.
    if (lang === "js") return { value: parseJson(text, limits), mayBeTyped: false };
    return { value: parsePythonJson(text, limits), mayBeTyped: text.includes('"__type__"') };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new DecodeError(error.kind === "depth" ? "Q4104" : "Q4105", `the body is ${error.reason}`);
  }
}

/** Kombu's names for what node can undo. The first holds a zlib stream, in spite of its name; a real gzip is read too. */
const decompressors: ReadonlyMap<unknown, (body: Uint8Array, options: ZlibOptions) => Uint8Array> = new Map([
  ["application/x-gzip", unzipSync],
  ["application/x-brotli", brotliDecompressSync],
]);

function decompress(body: Uint8Array, compression: unknown, maxOutputLength: number): Uint8Array {
  const decompressor = decompressors.get(compression);
  if (decompressor === undefined) {
    const known = [...decompressors.keys()].join(", ");
    throw new DecodeError(
      "Q4103",
      `the compression ${quoted(compression)} is not one that q reads`,
      `compress with one of ${known}, or not at all`,
    );
  }
  try {
    return decompressor(body, { maxOutputLength });
  } catch (error) {
    const isTooLarge = (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
    if (isTooLarge) throw tooLarge("the decompressed body is too large", maxOutputLength);
    throw new DecodeError("Q4103", `the body is not ${quoted(compression)} data`);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeText(bytes: MessageBody): string {
  if (typeof bytes === "string") return bytes;
  try {
    return utf8.decode(bytes);
  } catch {
    throw new DecodeError("Q4105", "the body is not UTF-8 text");
  }
}

/** Kombu takes a missing encoding for UTF-8, and names without regard to case. */
function isUtf8Name(encoding: unknown): boolean {
  return encoding === "utf-8" || isNone(encoding) || (typeof encoding === "string" && /^utf-?8$/i.test(encoding));
}

function isNone(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

function tooLarge(what: string, limit: number): DecodeError {
  return new DecodeError(
    "Q4101",
    `${what}, the limit is ${limit} bytes`,
    "store the large part elsewhere and send its id",
  );
}
