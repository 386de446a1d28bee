// Runs the main job's TypeScript as it stands, on every Node version that q supports.
import { createJiti } from "jiti";

await createJiti(import.meta.url).import("./src/main-job/main.ts");
