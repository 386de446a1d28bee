import type { Setting } from "../setting.ts";

/**
 * Variables that say which build this is, the ones that were set on purpose first: ours, Sentry's, then what CI systems and hosting platforms set by
 * themselves: GitHub, GitLab, Heroku, Vercel, Render, Railway, buildpacks, Fly.
 */
const releaseVariables = [
  "Q_RELEASE",
  "SENTRY_RELEASE",
  "GITHUB_SHA",
  "CI_COMMIT_SHA",
  "HEROKU_SLUG_COMMIT",
  "VERCEL_GIT_COMMIT_SHA",
  "RENDER_GIT_COMMIT",
  "RAILWAY_GIT_COMMIT_SHA",
  "SOURCE_VERSION",
  "FLY_IMAGE_REF",
] as const;

/** Which build of the program this is, from the first variable that says so. */
export function readRelease(env: Readonly<Record<string, string | undefined>>): Setting<string | undefined> {
  for (const variable of releaseVariables) {
    const release = env[variable]?.trim();
    if (release !== undefined && release !== "") return { value: release, from: variable };
  }
  return { value: undefined, from: "default" };
}
