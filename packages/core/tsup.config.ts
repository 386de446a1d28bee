import { defineConfig } from "tsup";
import { bundledLicenses } from "../../.ci/bundled-licenses.mjs";

export default defineConfig({
  entry: { index: "src/index.ts", "broker/index": "src/broker/index.ts", "testing/index": "src/testing/index.ts" },
  format: ["esm"],
  dts: false,
  sourcemap: true,
  clean: true,
  target: "node20",
  // tsup would rewrite "node:sqlite" to "sqlite", a module that does not exist.
  removeNodeProtocol: false,
  esbuildPlugins: [bundledLicenses()],
});
