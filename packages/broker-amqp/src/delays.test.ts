import { describe, expect, test } from "vitest";
import { digitPattern, endPattern, longestDelayMs, routeFor } from "./delays.ts";

describe("the way of a delayed message", () => {
  test.each([
    [1, "q.delay.125"],
    [125, "q.delay.125"],
    [126, "q.delay.250"],
    [500, "q.delay.500"],
  ])("%i ms long goes through %s", (delayMs, exchange) => {
    expect(routeFor("a.b", delayMs)).toEqual({ exchange, routingKey: "a.b" });
  });

  test("without a delay is none", () => {
    expect(routeFor("foo", 0)).toEqual({ exchange: "", routingKey: "foo" });
  });

  test("of three seconds has Celery's binary digits", () => {
    // As Celery 5.6 publishes a countdown of 3 s to the queue celery.
    const routingKey = `${"0.".repeat(26)}1.1.celery`;
    expect(routeFor("celery", 3000)).toEqual({ exchange: "celery_delayed_27", routingKey });
  });

  test("is never shorter than asked for", () => {
    for (const delayMs of [501, 999, 1000, 1001, 59_999, 86_400_000, longestDelayMs]) {
      const digits = routeFor("foo", delayMs).routingKey.split(".").slice(0, 28).join("");
      const waitsMs = Number.parseInt(digits, 2) * 1000;
      expect(waitsMs).toBeGreaterThanOrEqual(delayMs);
      expect(waitsMs - delayMs).toBeLessThan(1000);
    }
  });
});

describe("the bindings", () => {
  test("look at the digit of their level", () => {
    expect(digitPattern(27, 1)).toBe("1.#");
    expect(digitPattern(25, 0)).toBe("*.*.0.#");
  });

  test("of a queue do not match a queue whose name ends like its own", () => {
    const words = (text: string): number => text.split(".").length;
    expect(words(endPattern("b"))).toBe(words(routeFor("b", 3000).routingKey));
    expect(words(endPattern("b"))).not.toBe(words(routeFor("a.b", 3000).routingKey));
  });
});
