import { fork } from "node:child_process";
import { once } from "node:events";
import type { ChildLink } from "./child-link.ts";
import type { FromChild } from "./child-side.ts";

/**
 * Starts a program of this bench in node; its other end is `serve`. Options of node, such as --cpu-prof, are handed on.
 * @param program its path, from this file
 */
export function linkToNode(program: string): ChildLink {
  const child = fork(new URL(program, import.meta.url));
  return {
    process: child,
    isOpen: () => child.connected,
    send: (message) => void child.send(message),
    reply: async (signal) => {
      const [reply] = (await once(child, "message", { signal })) as unknown[];
      return reply as FromChild; // sent by `serve`
    },
    hangUp: () => {
      if (child.connected) child.disconnect();
    },
    kill: () => void child.kill("SIGKILL"),
  };
}
