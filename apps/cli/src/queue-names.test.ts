import { createApp } from "@q/core";
import { describe, expect, test } from "vitest";
import { chooseQueues, parseWeighted } from "./queue-names.ts";

const app = createApp({ queues: ["default", "email", "images", "tenant:7"] });
const all = { only: [], except: [], ignoreUnknown: false };

describe("chooseQueues", () => {
  test("serves every queue once when none is named", () => {
    expect(chooseQueues(app, all).turns).toEqual(["default", "email", "images", "tenant:7"]);
  });

  test("a weight is a number of turns", () => {
    expect(chooseQueues(app, { ...all, only: ["email,images:3"] }).turns).toEqual([
      "email",
      "images",
      "images",
      "images",
    ]);
  });

  test("a queue whose own name ends in a number is not taken for a weight", () => {
    expect(chooseQueues(app, { ...all, only: ["tenant:7"] }).turns).toEqual(["tenant:7"]);
  });

  test("leaves out what is excluded", () => {
    expect(chooseQueues(app, { ...all, except: ["images,tenant:7"] }).turns).toEqual(["default", "email"]);
  });

  test("refuses an unknown name with the one that was probably meant", () => {
    expect(() => chooseQueues(app, { ...all, only: ["emial"] })).toThrow(
      expect.objectContaining({ code: "Q2003", hint: 'Did you mean "email"?' }),
    );
    expect(() => chooseQueues(app, { ...all, except: ["emial"] })).toThrow(expect.objectContaining({ code: "Q2003" }));
  });

  test("goes on without unknown names when told to", () => {
    const chosen = chooseQueues(app, { only: ["emial,default"], except: [], ignoreUnknown: true });
    expect(chosen).toEqual({ turns: ["default"], unknown: ["emial"] });
  });

  test("refuses to serve nothing", () => {
    expect(() => chooseQueues(app, { ...all, only: ["email"], except: ["email"] })).toThrow(
      "no queue is left to serve",
    );
  });
});

test("a weight out of range is refused", () => {
  expect(() => parseWeighted(["a:0"])).toThrow("expected 1 to 100");
  expect(() => parseWeighted(["a:101"])).toThrow("expected 1 to 100");
});
