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
});
