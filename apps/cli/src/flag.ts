import { Option } from "clipanion";

/** A flag as help, completion and the argument splitter need it. */
export interface Flag {
  /** `["-c", "--concurrency"]` */
  readonly names: readonly string[];
  /** The longest name, the one that help shows first. */
  readonly long: string;
  readonly value: "none" | "required" | "optional";
  /** What stands for the value in help: `n`. Empty for a flag without one. */
  readonly valueName: string;
  readonly about: string;
}

// clipanion keeps one free text per option, so the name of the value travels in front of it.
const separator = "\t";

/** A flag without a value. */
export function switchFlag(names: string, about: string): boolean {
  return Option.Boolean(names, false, { description: `${separator}${about}` });
}

/** A flag with a value, `--name value` or `--name=value`. */
export function valueFlag(names: string, valueName: string, about: string): string | undefined {
  return Option.String(names, { description: `${valueName}${separator}${about}` });
}

/** A flag that may have a value: `--watch` or `--watch=2s`. `true` without one. */
export function optionalValueFlag(names: string, valueName: string, about: string): string | boolean | undefined {
  return Option.String(names, { description: `[${valueName}]${separator}${about}`, tolerateBoolean: true });
}

/** A flag that may stand several times. */
export function listFlag(names: string, valueName: string, about: string): string[] {
  return Option.Array(names, [], { description: `${valueName}${separator}${about}` });
}

/** Reads back what the functions above wrote. */
export function flagOf(option: { readonly names: readonly string[]; readonly description?: string | undefined }): Flag {
  const [valueName = "", about = ""] = (option.description ?? "").split(separator);
  return {
    names: option.names,
    long: option.names.reduce((longest, name) => (name.length > longest.length ? name : longest), ""),
    value: valueName === "" ? "none" : valueName.startsWith("[") ? "optional" : "required",
    valueName: valueName.replace(/^\[|\]$/g, ""),
    about,
  };
}
