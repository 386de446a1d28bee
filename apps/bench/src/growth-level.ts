/** Tasks that wait. All are compared with the first. */
export const growthLevels = [1000, 100_000, 1_000_000, 10_000_000] as const;
const [lowest] = growthLevels;

/** What is measured at each of them. */
export const whats = ["enqueue", "drain"] as const;
type What = (typeof whats)[number];

/** Name of the workload that measures that while so many tasks wait. */
export function levelName(what: What, pending: number): string {
  return `growth: ${what} with ${pending.toLocaleString("en")} pending`;
}

/** Name of how that cost has grown since few tasks waited. */
export function growthName(what: What, pending: number): string {
  return `${levelName(what, pending)}, by ${lowest.toLocaleString("en")}`;
}
