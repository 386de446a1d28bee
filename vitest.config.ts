import { existsSync, readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

// Tests run from source: the "@q/source" condition points every package at its src folder.
const conditions = ["@q/source", "module", "node", "development|production"];
const folders = ["packages", "apps"]
  .flatMap((top) => readdirSync(top).map((name) => `${top}/${name}`))
  .filter((folder) => existsSync(`${folder}/package.json`));

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Most files wait for servers, leases and pauses. By default there would be one fewer at a time: one alone on two cores.
    maxWorkers: "100%",
    projects: [
      { extends: true, test: { name: "ci", include: [".ci/*.test.mjs"] } },
      ...folders.flatMap((folder) => {
        const name = folder.split("/")[1];
        return [
          { extends: true as const, test: { name: `${name}:unit`, include: [`${folder}/src/**/*.test.ts`] } },
          {
            extends: true as const,
            test: {
              name: `${name}:process`,
              include: [`${folder}/test/**/*.test.ts`],
              globalSetup: [".ci/build-for-tests.mjs", `${folder}/test/global-setup.ts`].filter((file) =>
                existsSync(file),
              ),
            },
          },
        ];
      }),
    ],
  },
});
