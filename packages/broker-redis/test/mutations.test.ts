import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mutations, place } from "./faults/night/mutations.ts";

// Whether the fault rows see them takes minutes, with `npm run faults`. A line that has moved is seen at once.
test.each(mutations)("there is one line to break so that $name", async ({ file, from }) => {
  const source = await readFile(join(place.folder, "src", file), "utf8");
  expect(source.split(from)).toHaveLength(2);
});
