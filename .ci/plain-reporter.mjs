// A vitest reporter: names every skipped test with its reason, and hands the totals to the process that started vitest.
import { relative } from "node:path";

/** Totals of a run: what stands in its closing line. A test that is to be written (`todo`) counts as skipped.
 * @typedef {{ passed: number, failed: number, skipped: number }} Totals */

export default class PlainReporter {
  /** @type {import("vitest/node").Vitest | undefined} */
  #vitest;

  onInit(vitest) {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules, unhandledErrors) {
    /** @type {Totals} */
    const totals = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    // With `-t` everything else is skipped, and why is known.
    const filtered = this.#vitest?.config.testNamePattern !== undefined;
    for (const module of modules) {
      // A file that fails to import, and a hook that throws, fail tests that never got to run.
      totals.failed += module.errors().length;
      for (const suite of module.children.allSuites()) totals.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state, note } = test.result();
        totals[state === "passed" || state === "failed" ? state : "skipped"]++;
        if (state === "skipped" && (note !== undefined || !filtered)) {
          const file = relative(this.#vitest?.config.root ?? "", module.moduleId);
          console.log(
            `skipped: ${file} > ${test.fullName}: ${note ?? (test.options.mode === "todo" ? "to be written" : "no reason given")}`,
          );
        }
      }
    }
    process.send?.(totals);
  }
}
