import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTime, parseTime } from "./celery-time.ts";

describe("formatTime", () => {
  it("writes UTC with six digits of fraction", () => {
    expect(formatTime(Date.UTC(2026, 10, 22, 5, 34, 38, 98))).toBe("2026-11-22T05:34:38.098000+00:00");
    expect(formatTime(0)).toBe("1970-01-01T00:00:00.000000+00:00");
  });

  it("stays within the years that Python knows", () => {
    expect(formatTime(8.64e15)).toBe("9999-12-31T23:59:59.999000+00:00");
    expect(formatTime(-8.64e15)).toBe("0001-01-01T00:00:00.000000+00:00");
  });
});

describe("parseTime", () => {
  it("reads back what formatTime writes, for every time", () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.parse("0001-01-01"), max: Date.parse("9999-12-31") }), (epochMs) => {
        expect(parseTime(formatTime(epochMs))).toBe(epochMs);
      }),
    );
  });

  it.each([
    ["2020-01-01T00:00:00Z", 0],
    ["2020-01-01T00:00:00", 0],
    ["2020-01-01 00:00:00", 0],
    ["2020-01-01", 0],
    ["2020-01-01T00:00", 0],
    ["2020-01-01T00:00:00+0000", 0],
    ["2020-01-01T00:00:00-00:00", 0],
    ["2020-01-01T05:30:00+05:30", 0],
    ["2020-01-01T05:30:00+0530", 0],
    ["2019-12-31T22:30:00-01:30", 0],
    ["2020-01-01T00:00:00.Z", 0],
    ["2020-01-01T00:00:00.5Z", 500],
    ["2020-01-01T00:00:00.123Z", 123],
    ["2020-01-01T00:00:00.098095+00:00", 98.095],
    ["2020-01-01T00:00:00.123456789Z", 123.456],
  ])("reads %s", (text, ms) => {
    expect(parseTime(text)).toBe(Date.UTC(2020, 0, 1) + ms);
  });

  it.each([
    "",
    "garbage",
    "2020",
    "1577836800",
    "2020-13-01",
    "2020-00-01",
    "2019-02-29",
    "2020-04-31T00:00:00Z",
    "2020-01-01T24:00:00",
    "2020-01-01T00:60:00",
    "2020-01-01T00:00:60",
    "2020-01-01T00:00:00.1234567890Z",
    "2020-01-01T00:00:00+24:00",
    "2020-01-01T00:00:00 Z",
    " 2020-01-01",
    "2020-01-01T00:00:00Z\n",
    "٢٠٢٠-01-01",
  ])("finds no time in %j", (text) => {
    expect(parseTime(text)).toBeNull();
  });

  it("reads a time without an offset in this machine's zone when asked to", () => {
    expect(parseTime("2020-07-01T12:00:00", "local")).toBe(new Date(2020, 6, 1, 12).getTime());
    expect(parseTime("2020-07-01T12:00:00Z", "local")).toBe(Date.UTC(2020, 6, 1, 12));
  });
});
