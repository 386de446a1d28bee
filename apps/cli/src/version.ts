import manifest from "../package.json" with { type: "json" };

/** Of this package; all packages of q carry the same. */
export const version: string = manifest.version;
