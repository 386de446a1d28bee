import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import type { CliContext } from "./cli-context.ts";
import { ProcessEnd } from "./process-end.ts";
import { readSendArguments, type GivenArguments } from "./send-arguments.ts";

const nothing: GivenArguments = { operand: undefined, positional: undefined, named: undefined };
const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });

function context(options: { cwd?: string; stdin?: string } = {}): CliContext {
  const { cwd = "/", stdin = "" } = options;
  const terminal = { stdoutColor: false, stderrColor: false, interactive: false, animated: false, width: undefined };
  const streams = { stdin: Readable.from([stdin]), stdout: nowhere, stderr: nowhere };
  return { ...streams, env: {}, colorDepth: 1, cwd, end: new ProcessEnd(), terminal };
}

describe("readSendArguments", () => {
  test.each([
    [{ operand: '{"a":1}' }, { a: 1 }],
    [{ operand: "[1,2]" }, [1, 2]],
    [{ positional: "[1]" }, [1]],
    [{ named: '{"a":{}}' }, { a: {} }],
    [{}, {}],
  ])("reads %j", async (given, expected) => {
    expect(await readSendArguments({ ...nothing, ...given }, context())).toEqual(expected);
  });

  test("reads stdin for a dash and a file for an at sign", async () => {
    const folder = await mkdtemp(join(tmpdir(), "q-send-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "month.json"), '\uFEFF{"month":11}');
    expect(await readSendArguments({ ...nothing, operand: "@month.json" }, context({ cwd: folder }))).toEqual({
      month: 11,
    });
    expect(await readSendArguments({ ...nothing, operand: "-" }, context({ stdin: '{"a":1}' }))).toEqual({ a: 1 });
    await expect(readSendArguments({ ...nothing, operand: "@gone.json" }, context({ cwd: folder }))).rejects.toThrow(
      "gone.json could not be read",
    );
  });

  test("says that they are not JSON, and never repeats them", async () => {
    const failure = readSendArguments({ ...nothing, operand: "{secret" }, context());
    await expect(failure).rejects.toMatchObject({ code: "Q2103", message: expect.not.stringContaining("secret") });
  });

  test.each([{ operand: "7" }, { operand: '"a"' }, { operand: "null" }, { positional: "{}" }, { named: "[]" }])(
    "refuses %j",
    async (given) => {
      await expect(readSendArguments({ ...nothing, ...given }, context())).rejects.toMatchObject({ code: "Q2103" });
    },
  );

  test("refuses a number that would be sent as another one, and does not repeat it", async () => {
    const failure = readSendArguments({ ...nothing, operand: '{"id":9007199254740993}' }, context());
    await expect(failure).rejects.toMatchObject({ code: "Q2103", message: expect.not.stringContaining("99") });
  });

  test("refuses arguments from two places", async () => {
    await expect(readSendArguments({ ...nothing, operand: "{}", named: "{}" }, context())).rejects.toThrow(
      "the arguments and --kwargs exclude each other",
    );
  });
});
