export { FakeClock, type FakeClockOptions } from "./fake-clock.ts";
export { memoryBroker, MemoryBroker, type MemoryBrokerOptions } from "./memory-broker.ts";
export type { CutLosing } from "./memory-connection.ts";
export { MemoryStore, type MemoryStoreOptions } from "./memory-store.ts";
export { testApp, TestApp, type TestAppOptions } from "./test-app.ts";
