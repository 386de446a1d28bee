import type { BarChart, BarGroup } from "./charts.ts";

/** On what ground it will be looked at. The ground itself is not drawn. */
export type Theme = "light" | "dark";

export const themes: readonly Theme[] = ["light", "dark"];

interface Colours {
  readonly text: string;
  readonly faint: string;
  readonly subject: string;
  readonly other: string;
}

/** Text has a contrast of 4.5 at least to GitHub's grounds, white and #0d1117, and bars of 3. */
const colours: Readonly<Record<Theme, Colours>> = {
  light: { text: "#1f2328", faint: "#59636e", subject: "#0969da", other: "#818b98" },
  dark: { text: "#f0f6fc", faint: "#9198a1", subject: "#4493f8", other: "#656c76" },
};

const width = 720;
const barsAt = 130;
/** A value stands behind its bar. */
const longestBar = 480;
const barHeight = 14;
const lineHeight = 20;
const headHeight = 56;
const groupHead = 28;
const groupGap = 10;

/** A chart as SVG. */
export function drawBarChart({ title, note, unit, groups }: BarChart, theme: Theme): string {
  const colour = colours[theme];
  const lines: string[] = [
    line(22, 0, `font-size="16" font-weight="600" fill="${colour.text}"`, title),
    line(42, 0, `fill="${colour.faint}"`, note),
  ];
  let top = headHeight;
  for (const group of groups) {
    lines.push(...drawGroup(group, { top, unit, colour }));
    top += groupHead + group.bars.length * lineHeight + groupGap;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>${escaped(title)}</title>`,
    ...lines,
    "</svg>",
    "",
  ].join("\n");
}

interface GroupPlace {
  readonly top: number;
  readonly unit: string;
  readonly colour: Colours;
}

function drawGroup({ title, bars }: BarGroup, { top, unit, colour }: GroupPlace): readonly string[] {
  const most = Math.max(...bars.map(({ value }) => value));
  const drawn = bars.flatMap(({ label, value, isSubject }, index) => {
    const baseline = top + groupHead + index * lineHeight + barHeight - 3;
    const length = most > 0 ? Math.max(1, Math.round((value / most) * longestBar)) : 1;
    const weight = isSubject ? ' font-weight="600"' : "";
    const fill = isSubject ? colour.subject : colour.other;
    const text = `${Math.round(value).toLocaleString("en")}${unit}`;
    return [
      line(baseline, barsAt - 10, `text-anchor="end" fill="${colour.text}"${weight}`, label),
      `<rect x="${barsAt}" y="${baseline - barHeight + 3}" width="${length}" height="${barHeight}" rx="2" fill="${fill}"/>`,
      line(baseline, barsAt + length + 8, `fill="${colour.text}"${weight}`, text),
    ];
  });
  return [line(top + 18, 0, `font-weight="600" fill="${colour.text}"`, title), ...drawn];
}

function line(y: number, x: number, attributes: string, text: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
