import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts"],
  format: ["esm"],
  dts: false,
  sourcemap: true,
  clean: true,
  target: "node20",
  // tsup would rewrite "node:sqlite" to "sqlite", a module that does not exist.
  removeNodeProtocol: false,
});
