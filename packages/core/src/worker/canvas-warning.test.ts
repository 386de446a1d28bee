import { expect, test } from "vitest";
import { plainCall } from "../message.ts";
import { CanvasWarning } from "./canvas-warning.ts";

test("what follows a task in Celery's canvas is told of once for each task, and nothing else is", () => {
  const lines: unknown[] = [];
  const log = (fields: object): void => void lines.push(fields);
  const logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  const warning = new CanvasWarning(logger);
  const look = (task: string, embed: typeof plainCall.embed): void =>
    warning.look({ ...plainCall, id: "m", rootId: "m", task, queue: "q", embed });
  look("t.a", {});
  look("t.a", { errbacks: [{ task: "t.b" }] });
  look("t.a", { chain: [], callbacks: null });
  expect(lines).toEqual([]);
  look("t.a", { chain: [{ task: "t.b" }] });
  look("t.a", { chord: { task: "t.c" } });
  look("t.b", { callbacks: [{ task: "t.c" }] });
  expect(lines).toEqual([
    { code: "Q4012", task: "t.a", id: "m", part: "chain" },
    { code: "Q4012", task: "t.b", id: "m", part: "callbacks" },
  ]);
});
