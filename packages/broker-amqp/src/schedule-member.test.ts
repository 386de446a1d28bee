import { silentLogger, systemClock } from "@q/core/broker";
import { expect, test, vi } from "vitest";
import { FakeChannel } from "../test/fake-connection.ts";
import type { Link } from "./link.ts";
import { readOptions } from "./options.ts";
import { ScheduleMember, type ScheduleMemberOptions } from "./schedule-member.ts";
import { noState } from "./schedule-state.ts";

test("who cannot join the others leaves no channel open", async () => {
  const consume = async (): Promise<object> => ({ consumerTag: "tag" });
  const channel = Object.assign(new FakeChannel(), { prefetch: async () => {}, consume });
  const retired: unknown[] = [];
  const link = {
    lost: new AbortController().signal,
    confirmChannel: async () => channel,
    call: <T>(answer: Promise<T>): Promise<T> => answer,
    retire: async (one: unknown) => void retired.push(one),
  };
  const options = {
    settings: readOptions(),
    clock: systemClock,
    logger: silentLogger,
    topology: { declareSchedules: async () => {} },
    heirloom: noState("origin"),
  };
  // All that is used of them.
  const joining = ScheduleMember.join(link as unknown as Link, options as unknown as ScheduleMemberOptions);
  await vi.waitFor(() => expect(channel.published).toHaveLength(1));
  channel.refuse(...channel.published);
  await expect(joining).rejects.toMatchObject({ code: "Q1106" });
  expect(retired).toEqual([channel]);
});
