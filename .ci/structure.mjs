// Checks what the linter cannot: who may import whom, that exports are named, and what a file may be called.
// Long files are only reported.
// Cycles, also of types, are oxlint's (import/no-cycle).
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";

const root = fileURLToPath(new URL("..", import.meta.url));
const longFile = 350;

/** A package from npm or a module of Node: whatever is neither a file of ours nor a package of ours. */
const outside = /^(?!@q\/|packages\/|apps\/|\.\.)/;
const node = /^node:/;
const coreLeaf = /^packages\/core\/src\/(clock|duration|json|logger|q-error)\.ts$/;

/**
 * Who may import what. The first zone whose `files` match holds; `own` is the importing package itself. Imports of types count.
 * An import is matched as the path of the file it leads to, or as the name of a package where it has one.
 */
const zones = [
  {
    name: "a test of core",
    files: /^packages\/core\/(test\/|.*\.test(-d)?\.ts$)/,
    own: true,
    may: [outside, /^@q\/core(\/|$)/],
  },
  {
    name: "a test of the testkit or of a broker",
    files: /^packages\/broker-[^/]+\/(test\/|.*\.test(-d)?\.ts$)/,
    own: true,
    may: [outside, /^@q\/(core|broker-testkit|celery-kit|fault-kit|test-servers)(\/|$)/],
  },
  { name: "a leaf of core", files: coreLeaf, may: [node, coreLeaf] },
  {
    name: "the broker contract",
    files: /^packages\/core\/src\/broker\//,
    may: [node, coreLeaf, /^packages\/core\/src\/broker\//],
  },
  { name: "core", files: /^packages\/core\/src\/(?!testing\/)/, may: [outside, /^packages\/core\/src\/(?!testing\/)/] },
  {
    name: "the testing kit of core",
    files: /^packages\/core\/src\/testing\//,
    may: [outside, /^packages\/core\/src\//],
  },
  {
    name: "the testkit",
    files: /^packages\/broker-testkit\//,
    own: true,
    may: [outside, /^@q\/core\/(broker|testing)$/],
  },
  {
    name: "a test of the scheduler",
    files: /^packages\/scheduler\/test\//,
    own: true,
    may: [outside, /^@q\/(core|scheduler|broker-amqp|broker-redis|broker-sqlite|test-servers)(\/|$)/],
  },
  { name: "a broker", files: /^packages\/broker-[^/]+\//, own: true, may: [outside, /^@q\/core\/broker$/] },
  { name: "the test servers", files: /^packages\/test-servers\//, own: true, may: [outside] },
  {
    name: "a kit of the brokers' tests",
    files: /^packages\/(celery|fault)-kit\//,
    own: true,
    may: [outside, /^@q\/(core|test-servers)(\/|$)/],
  },
  { name: "a package", files: /^packages\/[^/]+\//, own: true, may: [outside, /^@q\/core(\/|$)/] },
  {
    name: "the bench",
    files: /^apps\/bench\//,
    own: true,
    may: [outside, /^@q\/(core|scheduler|broker-[^/]+|test-servers)(\/|$)/],
  },
  {
    name: "a test of an app",
    files: /^apps\/[^/]+\/test\//,
    own: true,
    may: [outside, /^@q\/(core|scheduler|dashboard|broker-[^/]+|test-servers)(\/|$)/],
  },
  {
    name: "an app",
    files: /^apps\/[^/]+\//,
    own: true,
    may: [outside, /^@q\/(core|scheduler|dashboard|broker-[^/]+)(\/|$)/],
  },
];

/** Names that say nothing about what is inside, for files and folders. */
const emptyName = /^(utils?|helpers?|common|shared|misc|lib|types|interfaces|constants)$/;

/**
 * What is wrong with one import, in words, or undefined.
 * @param {string} file path from the repo's root, with "/"
 * @param {string} specifier what stands after `from`
 */
export function importFault(file, specifier) {
  const zone = zones.find((candidate) => candidate.files.test(file));
  if (zone === undefined) return undefined;
  const target = specifier.startsWith(".") ? posix.join(posix.dirname(file), specifier) : specifier;
  const ownFolder = `${file.split("/").slice(0, 2).join("/")}/`;
  const isTest = /^[^/]+\/[^/]+\/(test|examples)\/|\.test(-d)?\.ts$/;
  // A test that starts processes uses its package as a user does: built, by name.
  if (isTest.test(file) && target === `@q/${file.split("/")[1]}`) return undefined;
  if (zone.own === true && target.startsWith(ownFolder)) {
    return isTest.test(target) && !isTest.test(file)
      ? `source must not import "${specifier}", which is of the tests`
      : undefined;
  }
  if (zone.may.some((pattern) => pattern.test(target))) return undefined;
  return `${zone.name} must not import "${specifier}"`;
}

/**
 * What is wrong with the name of a file, in words, or undefined.
 * @param {string} file path from the repo's root, with "/"
 */
export function nameFault(file) {
  const part = file
    .split("/")
    .slice(2)
    .find((name) => emptyName.test(name.replace(/\..*$/, "")));
  return part === undefined
    ? undefined
    : `"${part}" says nothing: name the idea inside, or keep the code where it is used`;
}

/**
 * Every module that a source text imports or re-exports from, with the offset where it is named, and the offsets of `export *`.
 * @param {string} file
 * @param {string} text
 */
export function readModule(file, text) {
  const { module, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  const requests = [...module.staticImports, ...module.staticExports.flatMap((statement) => statement.entries)]
    .map((statement) => statement.moduleRequest)
    .filter((request) => request !== null && request !== undefined)
    .map(({ value, start }) => ({ specifier: value, start }));
  // A computed import() has no name to check.
  const literals = module.dynamicImports
    .map(({ moduleRequest: { start, end } }) => ({ specifier: text.slice(start, end), start }))
    .filter(({ specifier }) => /^(["'`])[^$]*\1$/.test(specifier))
    .map(({ specifier, start }) => ({ specifier: specifier.slice(1, -1), start }));
  const stars = module.staticExports
    .flatMap((statement) => statement.entries)
    .filter(({ importName }) => importName.kind.startsWith("All"))
    .map(({ start }) => start);
  return { imports: [...requests, ...literals], stars };
}

function sourceFiles() {
  const packages = ["packages", "apps"].flatMap((top) => readdirSync(join(root, top)).map((name) => `${top}/${name}`));
  return packages.flatMap(filesUnder).filter((file) => /\.[cm]?[jt]sx?$/.test(file));
}

/** @returns {string[]} */
function filesUnder(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory())
      return /^(node_modules|dist|coverage|\..*)$/.test(entry.name) ? [] : filesUnder(`${folder}/${entry.name}`);
    return [`${folder}/${entry.name}`];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let faults = 0;
  for (const file of sourceFiles()) {
    const text = readFileSync(join(root, file), "utf8");
    const lineAt = (offset) => text.slice(0, offset).split("\n").length;
    const { imports, stars } = readModule(file, text);
    const found = [
      [1, nameFault(file)],
      ...imports.map(({ specifier, start }) => [lineAt(start), importFault(file, specifier)]),
      ...stars.map((start) => [lineAt(start), "exports are named one by one: export * hides what is public"]),
    ];
    for (const [line, fault] of found) {
      if (fault === undefined) continue;
      faults++;
      console.error(`${file}:${line} ${fault}`);
    }
    const lines = lineAt(text.length);
    if (lines > longFile) console.warn(`${file} has ${lines} lines: more than ${longFile}, is it still one idea?`);
  }
  process.exitCode = faults > 0 ? 1 : 0;
}
