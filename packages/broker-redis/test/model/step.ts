import * as fc from "fast-check";
import { expect } from "vitest";
import { expectSame } from "./compare.ts";
import type { QueueModel } from "./queue-model.ts";
import type { World } from "./world.ts";

/** The same thing done to the queue and to its model. Both answer alike. */
export interface Plan {
  readonly real: (world: World) => Promise<unknown>;
  readonly model: () => unknown;
}

/** One thing that happens to a queue, maybe twice, as when its first answer was lost. Then everything is looked at. */
export class Step implements fc.AsyncCommand<QueueModel, World> {
  readonly #name: string;
  readonly #isTwice: boolean;
  readonly #plan: (model: QueueModel) => Plan | undefined;

  /** @param plan chooses who does what by what there is; changes nothing. `undefined`: it cannot happen now */
  constructor(name: string, isTwice: boolean, plan: (model: QueueModel) => Plan | undefined) {
    this.#name = name;
    this.#isTwice = isTwice;
    this.#plan = plan;
  }

  check(model: QueueModel): boolean {
    return this.#plan(model) !== undefined;
  }

  async run(model: QueueModel, world: World): Promise<void> {
    const plan = this.#plan(model);
    if (plan === undefined) throw new Error("expected a step that was checked");
    await expectAlike(plan, model, world);
    if (this.#isTwice) await expectAlike(plan, model, world);
  }

  toString(): string {
    return this.#isTwice ? `${this.#name} twice` : this.#name;
  }
}

async function expectAlike(plan: Plan, model: QueueModel, world: World): Promise<void> {
  const answer = await plan.real(world);
  const census = await world.census();
  model.look(census.now);
  expect(answer).toEqual(plan.model());
  expectSame(census, model);
}

/** Steps of one kind, drawn at random. */
export function steps<P>(
  name: string,
  parameters: fc.Arbitrary<P>,
  plan: (model: QueueModel, parameters: P) => Plan | undefined,
): fc.Arbitrary<Step> {
  return fc
    .tuple(parameters, fc.integer({ min: 0, max: 9 }))
    .map(([drawn, luck]) => new Step(`${name} ${fc.stringify(drawn)}`, luck === 9, (model) => plan(model, drawn)));
}
