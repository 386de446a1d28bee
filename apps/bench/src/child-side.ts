/** What a child process does once it is set up. */
export interface ChildSide<Question, Answer> {
  answer(question: Question): Promise<Answer>;
  close(): Promise<void>;
}

/** A message from the parent: the setup first, then questions, one at a time, then `close`. */
export type ToChild = { readonly setup: unknown } | { readonly question: unknown } | { readonly close: true };

/** One for each message. */
export type FromChild = { readonly answer: unknown } | { readonly failure: string };

/** Makes this process obey its parent, see `Child`. It ends with its parent. */
export async function serve<Question, Answer>(
  setUp: (setup: never) => Promise<ChildSide<Question, Answer>>,
): Promise<void> {
  let side: ChildSide<Question, Answer> | undefined;
  const obey = async (message: ToChild): Promise<unknown> => {
    // Parent and child come from one build, so what arrives is what was meant.
    if ("setup" in message) side = await setUp(message.setup as never);
    else if ("question" in message) return await side?.answer(message.question as Question);
    else await side?.close();
    return undefined;
  };
  process.on("message", (message: ToChild) => {
    void obey(message).then(
      (answer) => process.send?.({ answer } satisfies FromChild),
      (error: unknown) => process.send?.({ failure: textOf(error) } satisfies FromChild),
    );
  });
  await new Promise((resolve) => process.once("disconnect", resolve));
  process.exit();
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
