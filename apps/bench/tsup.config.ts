import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/main.ts", "src/sender/main.ts", "src/runner/main.ts", "src/crew/main.ts", "src/q-worker/app.ts"],
  format: ["esm"],
  dts: false,
  sourcemap: true,
  // A process loads the client of its own peer and no other.
  splitting: true,
  clean: true,
  target: "node20",
  removeNodeProtocol: false,
});
