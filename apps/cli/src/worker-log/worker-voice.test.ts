import { Console } from "node:console";
import { PassThrough, Writable } from "node:stream";
import { createApp } from "@q/core";
import { memoryBroker } from "@q/core/testing";
import { expect, onTestFinished, test } from "vitest";
import type { CliContext, TerminalStream } from "../cli-context.ts";
import { ProcessEnd } from "../process-end.ts";
import { WorkerPause } from "../worker/worker-pause.ts";
import { readWorkerSettings } from "../worker/worker-settings.ts";
import { WorkerVoice } from "./worker-voice.ts";

/** A stream to a terminal, and what it was given. */
function terminal(): { stream: Writable & TerminalStream; text: () => string } {
  let text = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY: true, columns: 80 }), text: () => text };
}

test("what handlers print stays above the footer, and goes its own way again when the footer is gone", async () => {
  const app = createApp({ broker: memoryBroker(), queues: ["one"] });
  const worker = app.createWorker({ concurrency: 10 });
  onTestFinished(async () => {
    await worker.stop();
    await app.close();
  });
  await worker.start();
  const [stdout, stderr] = [terminal(), terminal()];
  const context: CliContext = {
    env: {},
    stdin: new PassThrough(),
    stdout: stdout.stream,
    stderr: stderr.stream,
    colorDepth: 1,
    cwd: ".",
    end: new ProcessEnd(),
    terminal: { stdoutColor: false, stderrColor: false, interactive: false, animated: true, width: 80 },
  };
  const settings = readWorkerSettings({}, {});
  const voice = await WorkerVoice.create(settings, context, {});
  const pause = new WorkerPause(worker);
  await voice.ready({ worker, pause, app, settings, also: [], warnings: [], readyMs: 1, onStop: () => {} });
  onTestFinished(() => voice.stop());
  const console = new Console(stdout.stream, stderr.stream);
  console.error("on stderr");
  console.log("on stdout");
  expect(stdout.text()).toBe("");
  for (const line of ["on stderr", "on stdout"]) {
    expect(stderr.text()).toMatch(new RegExp(`\\u001b\\[2F\\u001b\\[J${line}\\n─+\\n 0/10 busy`));
  }
  voice.stop();
  console.log("later");
  expect(stdout.text()).toBe("later\n");
});
