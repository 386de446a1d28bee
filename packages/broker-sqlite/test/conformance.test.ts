import { testBroker } from "@q/broker-testkit";
import { sqliteHarness } from "./sqlite-harness.ts";

testBroker("sqlite", sqliteHarness());
