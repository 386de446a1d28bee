import { expect, test } from "vitest";
import { FakeClock } from "../testing/fake-clock.ts";
import { Throughput } from "./throughput.ts";

test("what ended counts for a minute, in steps of ten seconds, each queue for itself", async () => {
  const clock = new FakeClock();
  const throughput = new Throughput(clock);
  for (let n = 0; n < 3; n += 1) throughput.ended("email", clock.monotonic());
  await clock.advance("30s");
  throughput.ended("email", clock.monotonic());
  throughput.ended("images", clock.monotonic());
  expect(throughput.perMinute(10)).toEqual({ email: 4, images: 1 });
  await clock.advance("20s");
  expect(throughput.perMinute(10)).toEqual({ email: 4, images: 1 });
  await clock.advance("10s");
  expect(throughput.perMinute(10)).toEqual({ email: 1, images: 1 });
  await clock.advance("30s");
  expect(throughput.perMinute(10)).toEqual({});
});

test("after a long rest only what is new counts", async () => {
  const clock = new FakeClock();
  const throughput = new Throughput(clock);
  throughput.ended("email", clock.monotonic());
  await clock.advance("1d");
  throughput.ended("email", clock.monotonic());
  expect(throughput.perMinute(10)).toEqual({ email: 1 });
});

test("of many queues the busiest are told", () => {
  const clock = new FakeClock();
  const throughput = new Throughput(clock);
  for (const queue of ["slow", "fast", "slow", "fast", "fast", "idle"]) throughput.ended(queue, clock.monotonic());
  expect(throughput.perMinute(2)).toEqual({ fast: 3, slow: 2 });
});
