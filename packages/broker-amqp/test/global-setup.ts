import { isInstalled, RabbitServer, type RabbitNode } from "@q/test-servers";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The node that all test files share, each in a vhost of its own. Null where RabbitMQ is not installed. */
    readonly rabbit: RabbitNode | null;
  }
}

export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const server = isInstalled("rabbitmq-server") ? await RabbitServer.start() : undefined;
  project.provide("rabbit", server?.node ?? null);
  return server && (() => server.stop());
}
