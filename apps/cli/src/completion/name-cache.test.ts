import { chmod, mkdtemp, readdir, rename, rm, symlink } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { NameCache } from "./name-cache.ts";

/** A folder of temporary files of the test's own, and where a cache has its folder in it. */
async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "q-names-"));
  vi.stubEnv("TMPDIR", folder);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });
  return join(folder, `q-completion-${userInfo().uid}`);
}

const isWindows = process.platform === "win32";

test("names are kept, for this user only", async () => {
  await temporary();
  const cache = new NameCache("key");
  expect(await cache.read()).toBeUndefined();
  await cache.write(["a", "b"]);
  expect(await cache.read()).toMatchObject({ names: ["a", "b"] });
});

test.skipIf(isWindows)(
  "nothing is written into a folder that others may write to, and nothing is taken from it",
  async () => {
    const folder = await temporary();
    const cache = new NameCache("key");
    await cache.write(["a"]);
    await chmod(folder, 0o777);
    expect(await cache.read()).toBeUndefined();
    const before = await readdir(folder);
    await expect(cache.write(["b"])).rejects.toThrow("this user's alone");
    expect(await readdir(folder)).toEqual(before);
  },
);

test.skipIf(isWindows)("a link is no folder", async () => {
  const folder = await temporary();
  const cache = new NameCache("key");
  await cache.write(["a"]);
  await rename(folder, `${folder}-elsewhere`);
  await symlink(`${folder}-elsewhere`, folder);
  expect(await cache.read()).toBeUndefined();
  await expect(cache.write(["b"])).rejects.toThrow("this user's alone");
});
