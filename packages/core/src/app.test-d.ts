import { z } from "zod";
import { createApp, type Task } from "./index.ts";

/** Compiled, never run: each `@ts-expect-error` fails the type check when the line below it compiles. */
const app = createApp({ queues: ["email", { name: "images", priorities: true }] });

const plain = app.instrumentedTask({ name: "t.plain", queue: "email" }, ({ id }: { id: number }) => id);
void plain.delay({ id: 1 });
// @ts-expect-error the argument is missing
void plain.delay();
// @ts-expect-error a field has another type
void plain.delay({ id: "1" });
// @ts-expect-error a queue that the app does not declare
app.instrumentedTask({ name: "t.queue", queue: "emial" }, () => {});
// @ts-expect-error a bare number has no unit
void plain.applyAsync({ id: 1 }, { countdown: 30 });
void plain.applyAsync({ id: 1 }, { countdown: "30s", queue: "images" });

const none = app.instrumentedTask({ name: "t.none" }, () => {});
void none.delay();

const optional = app.instrumentedTask({ name: "t.optional" }, (_args: { id?: number }) => {});
void optional.delay();
void optional.delay({ id: 1 });

// A sender passes what the schema takes in, the handler gets what it gives out.
const schema = z.object({ id: z.number(), at: z.coerce.date<string>().optional() });
const validated: Task<{ id: number; at?: string | undefined }> = app.instrumentedTask(
  { name: "t.schema", args: schema },
  ({ id, at }) => {
    const sum: number = id + (at?.getTime() ?? 0);
    return sum;
  },
);
void validated.delay({ id: 1, at: "2030-01-01" });
// @ts-expect-error the handler's type, not the sender's
void validated.delay({ id: 1, at: new Date() });
