import { defineConfig } from "tsup";
import { bundledLicenses } from "../../.ci/bundled-licenses.mjs";

export default defineConfig({
  entry: ["src/main.ts"],
  format: ["esm"],
  dts: false,
  sourcemap: true,
  splitting: true,
  clean: true,
  target: "node20",
  removeNodeProtocol: false,
  esbuildPlugins: [bundledLicenses()],
  // clipanion and pino are bundled, so that a command starts fast, and are CommonJS that requires Node's own modules.
  banner: {
    js: 'import { createRequire as bundledRequire } from "node:module"; const require = bundledRequire(import.meta.url);',
  },
});
