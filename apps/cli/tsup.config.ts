import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/main.ts"],
  format: ["esm"],
  dts: false,
  sourcemap: true,
  splitting: true,
  clean: true,
  target: "node20",
  removeNodeProtocol: false,
  // clipanion is bundled, so that a command starts fast, and it is CommonJS that requires Node's own modules.
  banner: {
    js: 'import { createRequire as bundledRequire } from "node:module"; const require = bundledRequire(import.meta.url);',
  },
});
