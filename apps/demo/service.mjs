// The HTTP service alone; PORT chooses its port.
import { createJiti } from "jiti";

await createJiti(import.meta.url).import("./src/service/main.ts");
