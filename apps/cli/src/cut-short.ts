/**
 * The error for a process that ends while its command still runs, which would look like success otherwise.
 * Made without core, which `q help` does not load.
 */
export function cutShort(): Error {
  return Object.assign(new Error("the process ended before the command had done its work"), {
    code: "Q2115",
    hint: "a module of the project called process.exit(), or awaits at its top level something that never comes",
  });
}
