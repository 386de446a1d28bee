import { sendPoison } from "@q/fault-kit";
import { expect } from "vitest";
import { deadLetters, Load } from "../load.ts";
import type { Row } from "../world.ts";

const poisons = 5;

export const poison: Row = {
  row: "41",
  name: "five messages kill every worker that runs them: those five are dead after three deaths each, and nobody else",
  why: "RabbitMQ counts a death for everything that a worker held",
  async run(world) {
    const site = await world.site();
    await sendPoison(await Load.start(world, { site, perSecond: 100, mayDie: true, mayRepeat: true }), poisons);
    expect(await deadLetters(world, site)).toBe(poisons);
  },
};
