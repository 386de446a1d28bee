import { expect, test } from "vitest";
import { FakeClock } from "../testing/fake-clock.ts";
import { Throughput } from "./throughput.ts";

test("what ended counts for a minute, in steps of ten seconds, each queue for itself", async () => {
  const clock = new FakeClock();
  const throughput = new Throughput(clock);
  for (let n = 0; n < 3; n += 1) throughput.ended("email");
  await clock.advance("30s");
  throughput.ended("email");
  throughput.ended("images");
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
  throughput.ended("email");
  await clock.advance("1d");
  throughput.ended("email");
  expect(throughput.perMinute(10)).toEqual({ email: 1 });
});

test("of many queues the busiest are told", () => {
  const throughput = new Throughput(new FakeClock());
  for (const queue of ["slow", "fast", "slow", "fast", "fast", "idle"]) throughput.ended(queue);
  expect(throughput.perMinute(2)).toEqual({ fast: 3, slow: 2 });
});
