import type { Usage } from "clipanion";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ConfigError } from "@q/core";
import { RefusedError } from "../cli-errors.ts";
import { exitCode } from "../exit-code.ts";
import { configNames } from "../find-config.ts";
import { switchFlag } from "../flag.ts";
import { QCommand } from "../q-command.ts";
import { scaffold, type ScaffoldFile } from "../scaffold.ts";

export class InitCommand extends QCommand {
  static override readonly paths: string[][] = [["init"]];
  static override readonly usage: Usage = {
    details:
      "Writes a config on an embedded SQLite file and a first task, into the folder you are in. Overwrites nothing.",
    examples: [
      ["here", "q init"],
      ["see what it would write", "q init --dry-run"],
    ],
  };

  dryRun: boolean = switchFlag("--dry-run", "print the files, write nothing");

  async execute(): Promise<number> {
    const { cwd } = this.context;
    const inTheWay = [...new Set([...configNames, ...scaffold.map(({ path }) => path)])].filter((path) =>
      existsSync(join(cwd, path)),
    );
    if (inTheWay.length > 0) {
      throw new RefusedError("Q2113", `${inTheWay.join(", ")} ${inTheWay.length === 1 ? "is" : "are"} here already`, {
        hint: "q init overwrites nothing; run it in another folder, or move the file away",
      });
    }
    if (!this.dryRun) {
      for (const file of scaffold) await write(cwd, file);
    }
    if (this.json) this.output.json({ dryRun: this.dryRun, files: scaffold.map(({ path }) => path) });
    else this.#tell();
    return exitCode.done;
  }

  #tell(): void {
    const { bold, dim } = this.output.colors;
    if (this.dryRun) {
      for (const { path, content } of scaffold) this.output.text(`${bold(path)}\n${content}`);
      return;
    }
    for (const { path } of scaffold) this.output.text(`wrote ${path}`);
    const steps: readonly (readonly [string, string])[] = [
      ["npm install @q/core @q/broker-sqlite", "if they are not there yet"],
      ["npx q check", "is everything in its place?"],
      ["npx q worker", "run tasks; leave it open"],
      [`npx q send hello '{"name":"Ada"}'`, "from a second terminal"],
    ];
    this.output.text(
      ["", bold("Next"), ...steps.map(([command, about]) => `  ${command.padEnd(40)} ${dim(about)}`)].join("\n"),
    );
  }
}

/** @throws ConfigError `Q2116` */
async function write(folder: string, { path, content }: ScaffoldFile): Promise<void> {
  try {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content, { flag: "wx" });
  } catch (cause) {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    throw new ConfigError("Q2116", `${path} could not be written (${code})`, {
      cause,
      hint: "may this user write to the folder, and is there space on the disk?",
    });
  }
}
