import { RabbitAdmin, rabbitUrl, type RabbitNode } from "@q/test-servers";
import { inject } from "vitest";

/** The node that the test files share. @throws Error where RabbitMQ is not installed */
export function sharedNode(): RabbitNode {
  const node = inject("rabbit");
  if (node === null) throw new Error("expected RabbitMQ to be installed");
  return node;
}

/** A vhost on it, for one test file. */
export async function newVhost(name: string): Promise<{ readonly url: string; readonly admin: RabbitAdmin }> {
  const node = sharedNode();
  const admin = new RabbitAdmin(node);
  await admin.addVhost(name);
  return { url: rabbitUrl(node, name), admin };
}
