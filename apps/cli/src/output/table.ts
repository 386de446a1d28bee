import { stripVTControlCharacters } from "node:util";
import { cut } from "./printable.ts";

export interface Column {
  /** Empty: no heading. */
  readonly title: string;
  readonly align: "left" | "right";
  /** Characters down to which it gives way when the table is wider than the terminal. The first such column gives way first. */
  readonly shrinksTo?: number;
}

export interface TableOptions {
  /** Columns of the terminal; `undefined` prints every cell in full. */
  readonly width: number | undefined;
  /** Applied to the line of headings, such as dimming. */
  readonly heading: (line: string) => string;
}

const gap = "  ";

/**
 * Aligned text without box lines: words to the left, numbers to the right. Cells may hold colour codes, except in columns that give way.
 * Ends with a line feed; no rows give the empty string.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string {
  if (rows.length === 0) return "";
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...rows.map((row) => shownLength(row[index] ?? ""))),
  );
  shrink(columns, widths, options.width);
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => {
        const width = widths[index] ?? 0;
        const cell = cells[index] ?? "";
        const fitting = column.shrinksTo !== undefined ? cut(cell, width) : cell;
        const padding = " ".repeat(Math.max(0, width - shownLength(fitting)));
        return column.align === "left" ? fitting + padding : padding + fitting;
      })
      .join(gap)
      .trimEnd();
  const titles = columns.map((column) => column.title);
  const headings = titles.some((title) => title !== "") ? [options.heading(line(titles))] : [];
  return [...headings, ...rows.map(line), ""].join("\n");
}

function shrink(columns: readonly Column[], widths: number[], available: number | undefined): void {
  if (available === undefined) return;
  let excess = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) - available;
  for (const [index, { shrinksTo }] of columns.entries()) {
    const width = widths[index] ?? 0;
    if (shrinksTo === undefined || excess <= 0) continue;
    const given = Math.max(0, Math.min(excess, width - shrinksTo));
    widths[index] = width - given;
    excess -= given;
  }
}

function shownLength(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
