import { expect, test } from "vitest";
import { readRelease } from "./release.ts";

test("Q_RELEASE beats what a platform says, and an empty variable counts as absent", () => {
  expect(readRelease({ GITHUB_SHA: "abc", Q_RELEASE: "v1.2" })).toEqual({ value: "v1.2", from: "Q_RELEASE" });
  expect(readRelease({ GITHUB_SHA: "abc", Q_RELEASE: " " })).toEqual({ value: "abc", from: "GITHUB_SHA" });
});

test("nothing is made up", () => {
  expect(readRelease({ PATH: "/bin" })).toEqual({ value: undefined, from: "default" });
});
