import { deflateSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeMessage } from "./celery-codec.ts";
import { DecodeError } from "./decode-error.ts";
import type { JsonObject } from "./json.ts";

const wellFormed = ['[[1,"a"],{"b":[{"c":null}]},{"chain":[]}]', "[[NaN],{},null]", '{"task":"a","id":"1","args":[]}'];
const pieces = ["[]{},:", '"\\', "null NaN - 1 1e999", "9".repeat(30), '"__type__" "__value__" "datetime" \\u0000']
  .flatMap((text) => [...text.split(" "), ...text.slice(0, 6).split("")])
  .filter((piece) => piece !== "");

const soup = fc.array(fc.constantFrom(...pieces), { maxLength: 20 }).map((parts) => parts.join(""));
/** A good body with a few characters replaced by something else. */
const mangled = fc
  .tuple(fc.constantFrom(...wellFormed), fc.nat(40), fc.nat(5), soup)
  .map(([text, at, cut, insert]) => text.slice(0, at) + insert.slice(0, 20) + text.slice(at + cut));
const bodies = fc.oneof(
  fc.constantFrom(...wellFormed).map((text) => Buffer.from(text)),
  fc.oneof(mangled, soup, fc.json()).map((text) => Buffer.from(text)),
  mangled.map((text) => deflateSync(text)),
  fc.uint8Array({ maxLength: 60 }),
);

const names = ["task", "id", "eta", "expires", "retries", "timelimit", "root_id", "group", "compression", "lang"];
const odd = fc.oneof(
  fc.constantFrom<unknown[]>(null, "", "a", "js", "2026-01-01", "application/x-gzip", 1, -1, Number.NaN, 1e300, 5n, [
    null,
    -1,
  ]),
  fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }),
);
const oddTable = fc.dictionary(fc.oneof(fc.constantFrom(...names, "__proto__", "q_sent_at"), fc.string()), odd, {
  maxKeys: 3,
});
/** Also what only a careless adapter would hand over. */
const tables: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("js", "py").map((lang) => ({ task: "a", id: "1", lang })) },
  { weight: 4, arbitrary: oddTable.map((table) => ({ task: "a", id: "1", ...table })) },
  { weight: 2, arbitrary: oddTable },
  { weight: 1, arbitrary: fc.constantFrom(null, {}, []) },
);

function mostly(text: string): fc.Arbitrary<string> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(text) }, { weight: 1, arbitrary: fc.string() });
}

test("whatever arrives becomes a message or a DecodeError", () => {
  const fates = { decoded: 0, refused: 0 };
  fc.assert(
    fc.property(
      bodies,
      tables,
      mostly("application/json"),
      mostly("utf-8"),
      (body, table, contentType, contentEncoding) => {
        const headers = table as JsonObject; // or not: that is the point
        try {
          decodeMessage({
            id: "1",
            queue: "q",
            priority: 0,
            headers,
            properties: { contentType, contentEncoding },
            body,
          });
          fates.decoded += 1;
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
          fates.refused += 1;
        }
      },
    ),
    { numRuns: 10_000 },
  );
  // Neither may be rare, or the test looks at one half only.
  expect(fates.decoded).toBeGreaterThan(500);
  expect(fates.refused).toBeGreaterThan(500);
});
