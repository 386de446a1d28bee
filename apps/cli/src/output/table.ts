import { stripVTControlCharacters } from "node:util";
import { cut } from "./printable.ts";

export interface Column {
  /** Empty: no heading. */
  readonly title: string;
  readonly align: "left" | "right";
  /** The one column that gives way when the table is wider than the terminal. */
  readonly shrinks?: boolean;
}

export interface TableOptions {
  /** Columns of the terminal; `undefined` prints every cell in full. */
  readonly width: number | undefined;
  /** Applied to the line of headings, such as dimming. */
  readonly heading: (line: string) => string;
}

const gap = "  ";

/**
 * Aligned text without box lines: words to the left, numbers to the right. Cells may hold colour codes, except in the column that shrinks.
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
        const fitting = column.shrinks === true ? cut(cell, width) : cell;
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
  const index = columns.findIndex((column) => column.shrinks === true);
  const current = widths[index];
  if (available === undefined || current === undefined) return;
  const total = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1));
  if (total > available) widths[index] = Math.max(10, current - (total - available));
}

function shownLength(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
