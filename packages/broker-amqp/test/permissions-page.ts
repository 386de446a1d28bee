import { readFileSync } from "node:fs";

const page = readFileSync(new URL("../PERMISSIONS.md", import.meta.url), "utf8");

/** The commands that `PERMISSIONS.md` tells to run, each as the words after `rabbitmqctl`, in the order of the page. */
export function commands(): readonly (readonly string[])[] {
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = ""]) => block);
  return blocks.flatMap((block) => [...block.matchAll(/^rabbitmqctl (.*)$/gm)].map(([, line = ""]) => wordsOf(line)));
}

/** As a shell reads a line with single quotes. */
function wordsOf(line: string): readonly string[] {
  return (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));
}
