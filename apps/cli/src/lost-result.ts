/**
 * The error for a result that could not be written, as to a file on a full disk: a script would take what is there for all of it. `undefined`
 * when it was written, or when the reader had seen enough. Made without core, which `q help` does not load.
 * @param reason why the stream ended, as it says itself
 */
export function lostResult(reason: NodeJS.ErrnoException | null): Error | undefined {
  if (reason === null || reason.code === "EPIPE") return undefined;
  return Object.assign(new Error(`the result could not be written to stdout (${reason.code ?? reason.message})`), {
    code: "Q2124",
    hint: "what the command did is done; see that there is space where its output goes",
  });
}
