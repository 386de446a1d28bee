import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * For tsup: writes the licences of all packages whose code is in a bundle beside it, as they ask for.
 * @returns {NonNullable<import("tsup").Options["esbuildPlugins"]>[number]}
 */
export function bundledLicenses() {
  return {
    name: "bundled-licenses",
    setup(build) {
      build.initialOptions.metafile = true;
      build.onEnd(({ metafile }) => {
        const folder = build.initialOptions.outdir;
        if (metafile === undefined || folder === undefined) return;
        const packages = new Set(Object.keys(metafile.inputs).flatMap((file) => folderOfPackage(file) ?? []));
        const texts = [...packages].map((path) => licenseOf(path)).toSorted();
        if (texts.length === 0) return;
        // tsup writes what is built only after this.
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, "BUNDLED-LICENSES.txt"), texts.join(`\n${"-".repeat(80)}\n\n`));
      });
    },
  };
}

/** @param {string} file */
function folderOfPackage(file) {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];
}

/** Some packages only name it. @param {string} path */
function licenseOf(path) {
  const { name, version, license } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
  const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? `License: ${license}` : readFileSync(join(path, file), "utf8").trim();
  return `${name} ${version}\n\n${text}\n`;
}
