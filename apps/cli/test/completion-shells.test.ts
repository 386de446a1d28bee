import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { installCommand } from "./installed-command.ts";
import { Project, usualProject } from "./project.ts";

/** What a shell offers for each line. */
type Offers = Readonly<Record<string, readonly string[]>>;

const expected: Offers = {
  "q wor": ["worker"],
  "qtask wor": ["worker"],
  "q -v worker --conc": ["--concurrency"],
  "q run worker --conc": ["--concurrency"],
  "q queues p": ["pause", "purge"],
  "q queues pause --time": ["--timeout"],
  "q worker -l d": ["debug"],
  "q worker --log-format p": ["pretty"],
  "q worker -A q.con": ["q.config.ts"],
  "q completion z": ["zsh"],
  "q help que": ["queues"],
  "q version ": [],
};

const expectedOfProject: Offers = {
  "q worker -Q em": ["email"],
  "qtask send hel": ["hello"],
  "q queues pause ": ["default", "email"],
  "q queues -Q em": ["email"],
};

interface Shell {
  readonly name: string;
  /** Types the lines. `complaints` is what the shell says of the script, in the middle of a person's line. */
  type(project: Project, lines: readonly string[]): Promise<{ offers: Offers; complaints: string }>;
}

/** Before each line of what is offered for it. */
const mark = "> ";

const askFish = `
source q.fish
for line in (cat lines)
  echo "${mark}$line"
  complete -C $line
end
`;

const fish: Shell = {
  name: "fish",
  async type(project, lines) {
    const env = await installCommand(project);
    await project.write("q.fish", (await project.q(["completion", "fish"])).stdout);
    await project.write("lines", lines.join("\n"));
    const { stdout, stderr } = run("fish", ["--no-config", "-c", askFish], project, env);
    // A description may stand behind a tab.
    return { offers: readOffers(stdout.replaceAll(/\t.*/g, "")), complaints: stderr };
  },
};

/** Runs in the terminal that `typeIntoZsh` types into: notes what is added to the completions, and tells when they are shown. */
const insideZsh = `
fpath=($PWD/functions $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
  # With -O, -A or -D it only filters a list for its caller.
  if [[ "\${(j: :)@[1,(i)--]}" == *-[OAD]\\ * ]]; then builtin compadd "$@"; return; fi
  local -a offered
  builtin compadd -O offered "$@"
  (( $#offered )) && print -rl -- $offered >> offered
  builtin compadd "$@"
}
finish() { zle kill-buffer; print -rn -- "<<""END>>" > /dev/tty }
zle -N finish
bindkey '^G' finish
bindkey '^I' complete-word
`;

const typeIntoZsh = `
zmodload zsh/zpty
zpty terminal "zsh -f -i"
zpty -w terminal 'source inside.zsh; print -rn -- "<<""READY>>"'
zpty -r terminal shown '*<<READY>>*'
for line in \${(f)"$(<lines)"}; do
  print -r -- "${mark}$line" >> offered
  zpty -w -n terminal "$line"$'\\t\\x07'
  zpty -r terminal shown '*<<END>>*'
  print -r -- "$shown"
done
zpty -d terminal
`;

const zsh: Shell = {
  name: "zsh",
  async type(project, lines) {
    const env = await installCommand(project);
    await project.write("functions/_q", (await project.q(["completion", "zsh"])).stdout);
    await project.write("inside.zsh", insideZsh);
    await project.write("lines", lines.join("\n"));
    await project.write("offered", "");
    const { stdout, stderr } = run("zsh", ["-f", "-c", typeIntoZsh], project, env);
    const offers = readOffers(await readFile(`${project.folder}/offered`, "utf8"));
    return { offers, complaints: stderr + (/^.*\b_\w+:.*$/m.exec(stdout)?.[0] ?? "") };
  },
};

/** A shell that does not come to its end is ended, and has then said too little. */
function run(command: string, args: readonly string[], { folder }: Project, env: Record<string, string>) {
  return spawnSync(command, args, { cwd: folder, env, encoding: "utf8", timeout: 20_000, killSignal: "SIGKILL" });
}

function readOffers(text: string): Offers {
  const answers = text.split(new RegExp(`^${mark}`, "m")).slice(1);
  return Object.fromEntries(
    answers.map((answer) => {
      const [line = "", ...offered] = answer.split("\n");
      return [line, [...new Set(offered)].filter((word) => word !== "").toSorted()];
    }),
  );
}

describe.each([zsh, fish])("$name", ({ name, type }) => {
  const isInstalled = spawnSync(name, ["--version"]).status === 0;
  const reason = `no ${name} here: apt-get install ${name}`;

  test("completes commands, flags and their values", async ({ skip }) => {
    skip(!isInstalled, reason);
    const project = await Project.create({ "q.config.ts": "" });
    expect(await type(project, Object.keys(expected))).toEqual({ offers: expected, complaints: "" });
  });

  test("completes queues and tasks of the project", async ({ skip }) => {
    skip(!isInstalled, reason);
    const project = await usualProject();
    // The first time the names are looked up behind the shell's back.
    await expect
      .poll(() => type(project, Object.keys(expectedOfProject)), { timeout: 20_000, interval: 500 })
      .toEqual({ offers: expectedOfProject, complaints: "" });
  });
});
