import { expect, test } from "vitest";
import { drawBarChart } from "./bar-chart-svg.ts";
import type { BarChart } from "./charts.ts";

const chart: BarChart = {
  name: "drain",
  title: 'Tasks <of "q" & others>',
  note: "more is better",
  unit: " µs",
  groups: [
    {
      title: "one",
      bars: [
        { label: "q", value: 12_000, isSubject: true },
        { label: "other", value: 3000, isSubject: false },
        { label: "slow", value: 0.2, isSubject: false },
      ],
    },
    { title: "two", bars: [{ label: "q", value: 5, isSubject: true }] },
  ],
};

function numbers(svg: string, attribute: string): readonly number[] {
  return [...svg.matchAll(new RegExp(`<rect[^>]* ${attribute}="(\\d+)"`, "g"))].map(([, value]) => Number(value));
}

test("bars are as long as their values, within their group, and none is too short to be seen", () => {
  expect(numbers(drawBarChart(chart, "light"), "width")).toEqual([480, 120, 1, 480]);
});

test("bars lie below each other, within the picture", () => {
  const svg = drawBarChart(chart, "light");
  const tops = numbers(svg, "y");
  expect(tops).toEqual(tops.toSorted((a, b) => a - b));
  expect(new Set(tops).size).toBe(4);
  const height = Number(/viewBox="0 0 720 (\d+)"/.exec(svg)?.[1]);
  expect((tops.at(-1) ?? 0) + 14).toBeLessThan(height);
});

test("values are written for people, with their unit", () => {
  expect(drawBarChart(chart, "light")).toContain(">12,000 µs</text>");
});

test("text cannot break the picture", () => {
  expect(drawBarChart(chart, "dark")).toContain("<title>Tasks &lt;of &quot;q&quot; &amp; others></title>");
});

test("text and bars stand out from GitHub's ground in both themes", () => {
  const grounds = { light: "#ffffff", dark: "#0d1117" } as const;
  for (const theme of ["light", "dark"] as const) {
    const svg = drawBarChart(chart, theme);
    for (const [, element, colour = ""] of svg.matchAll(/<(text|rect)[^>]* fill="(#\w{6})"/g))
      expect(contrast(colour, grounds[theme]), `${theme} ${colour}`).toBeGreaterThan(element === "text" ? 4.5 : 3);
  }
});

/** As WCAG 2 has it. */
function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
