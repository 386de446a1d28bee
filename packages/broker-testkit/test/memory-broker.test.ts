import { testBroker } from "../src/index.ts";
import { memoryHarness } from "./memory-harness.ts";

testBroker("memory", memoryHarness());
