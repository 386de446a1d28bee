import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { drawResults } from "./draw-results.ts";

const place = "<!-- charts: drawn by the bench -->\nold\n<!-- end of the charts -->";

/** A folder like the bench's. */
function setUp(readme: string): { folder: URL; keep: (isQuick: boolean) => void; read: (file: string) => string } {
  const path = mkdtempSync(join(tmpdir(), "q-bench-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  mkdirSync(join(path, "results"));
  writeFileSync(join(path, "README.md"), readme);
  const sample = { perSecond: 7 };
  return {
    folder: pathToFileURL(`${path}/`),
    keep(isQuick) {
      const peers = [{ name: "q", title: "q", versions: {}, settings: {} }];
      const measurements = [{ workload: "drain, concurrency 1", peer: "q", repeat: 0, count: 1, sample }];
      const results = { field: "redis", date: "2030-01-02T03:04:05.000Z", isQuick, repeats: 1, peers, measurements };
      writeFileSync(join(path, "results/redis.json"), JSON.stringify(results));
    },
    read: (file) => (existsSync(join(path, file)) ? readFileSync(join(path, file), "utf8") : ""),
  };
}

test("a full run is drawn in both themes, into the README, as often as one likes", () => {
  const { folder, keep, read } = setUp(`# A\n\n${place}\n\nB $& $1\n`);
  keep(false);
  drawResults(folder);
  drawResults(folder);
  const readme = read("README.md");
  expect(readme.match(/### Redis/g)).toHaveLength(1);
  expect(readme).not.toContain("old");
  expect(readme).toMatch(/^# A\n[^]*B \$& \$1\n$/);
  const files = [...readme.matchAll(/(?:src|srcset)="([^"]+)"/g)].map(([, file = ""]) => file);
  expect(files).toEqual(["results/charts/redis-drain-dark.svg", "results/charts/redis-drain-light.svg"]);
  for (const file of files) expect(read(file)).toMatch(/^<svg /);
});

test("a quick run is not drawn", () => {
  const { folder, keep, read } = setUp(place);
  keep(true);
  drawResults(folder);
  expect(read("README.md")).toContain("No full run has been kept yet.");
});

test("a README without a place for the charts is an error, and stays as it is", () => {
  const { folder, read } = setUp("# A\n");
  expect(() => drawResults(folder)).toThrow("in the README, once");
  expect(read("README.md")).toBe("# A\n");
});
