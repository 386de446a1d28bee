import { relative } from "node:path";
import { placeIn } from "./place-in-stack.ts";

/**
 * What to tell about an error that nobody caught, thrown while no worker runs that would see to it: by a module of the user's, in the background. Node would
 * print it as it is, credentials included. Made without core, which `q help` does not load.
 */
export function uncaught(error: unknown, cwd: string): Error {
  const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  const place = placeIn(stack);
  return Object.assign(new Error(`an error that nobody caught: ${name}: ${message}`, { cause: error }), {
    code: "Q2125",
    hint: "a module of the project throws it beside the command; -v shows the stack",
    details: place === undefined ? {} : { at: relative(cwd, place) },
  });
}
