import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { drawBarChart, themes } from "./bar-chart-svg.ts";
import { chartsOf, type BarChart } from "./charts.ts";
import { fieldNames, fieldTitles, type FieldName } from "./field-name.ts";
import type { Results } from "./results.ts";

const start = "<!-- charts: drawn by the bench -->";
const end = "<!-- end of the charts -->";

/**
 * Draws what the full runs have found out, and puts it into the README.
 * @param folder of the README and the `results`
 * @throws Error when the README has no place for it
 */
export function drawResults(folder: URL): void {
  const drawn = fieldNames.flatMap((field) => {
    const results = fullResults(folder, field);
    return results === undefined ? [] : [{ field, charts: chartsOf(results) }];
  });
  mkdirSync(new URL("results/charts/", folder), { recursive: true });
  for (const { field, charts } of drawn)
    for (const chart of charts)
      for (const theme of themes)
        writeFileSync(new URL(fileOf(field, chart, theme), folder), drawBarChart(chart, theme));
  const readme = new URL("README.md", folder);
  const sections = drawn.map(({ field, charts }) => section(field, charts));
  writeFileSync(readme, withCharts(readFileSync(readme, "utf8"), sections));
}

/** Nothing where there was none yet: a quick run is no measurement to publish. */
function fullResults(folder: URL, field: FieldName): Results | undefined {
  const file = new URL(`results/${field}.json`, folder);
  if (!existsSync(file)) return undefined;
  const results = JSON.parse(readFileSync(file, "utf8")) as Results; // written by the bench
  return results.isQuick ? undefined : results;
}

function fileOf(field: FieldName, { name }: BarChart, theme: string): string {
  return `results/charts/${field}-${name}-${theme}.svg`;
}

/** GitHub takes the picture for the theme of its reader. */
function section(field: FieldName, charts: readonly BarChart[]): string {
  const pictures = charts.map((chart) => {
    const dark = `<source media="(prefers-color-scheme: dark)" srcset="${fileOf(field, chart, "dark")}">`;
    const light = `<img alt="${chart.title}" src="${fileOf(field, chart, "light")}">`;
    return `<picture>${dark}${light}</picture>`;
  });
  return [`### ${fieldTitles[field]}`, ...pictures, `All figures: [\`${field}.md\`](results/${field}.md)`].join("\n\n");
}

/** @throws Error when the text has no place for them */
function withCharts(text: string, sections: readonly string[]): string {
  const [before, , after, ...more] = text.split(new RegExp(`(?<=${start})([^]*)(?=${end})`));
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`expected "${start}" and "${end}" in the README, once`);
  const content = sections.length === 0 ? "No full run has been kept yet." : sections.join("\n\n");
  return `${before}\n\n${content}\n\n${after}`;
}
