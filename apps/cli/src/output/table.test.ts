import { expect, test } from "vitest";
import { renderTable, type Column } from "./table.ts";

const columns: readonly Column[] = [
  { title: "NAME", align: "left" },
  { title: "COUNT", align: "right" },
  { title: "TEXT", align: "left", shrinksTo: 10 },
];
const plain = { width: undefined, heading: (line: string) => line };

test("words stand to the left, numbers to the right, without trailing blanks", () => {
  const table = renderTable(
    columns,
    [
      ["email", "18,204", "a"],
      ["x", "3", ""],
    ],
    plain,
  );
  expect(table).toBe("NAME    COUNT  TEXT\nemail  18,204  a\nx           3\n");
});

test("colour codes do not count as width", () => {
  const table = renderTable(
    columns,
    [
      ["\u001b[31mred\u001b[39m", "1", ""],
      ["plain", "2", ""],
    ],
    plain,
  );
  expect(table.split("\n")[1]).toBe("\u001b[31mred\u001b[39m        1");
});

test("on a terminal the widest text gives way; in a pipe nothing is cut", () => {
  const rows = [["email", "1", "x".repeat(100)]];
  expect(renderTable(columns, rows, { ...plain, width: 40 }).split("\n")[1]).toHaveLength(40);
  expect(renderTable(columns, rows, plain)).toContain("x".repeat(100));
});

test("the first column that may give way does so first", () => {
  const id: Column = { title: "ID", align: "left", shrinksTo: 4 };
  const text: Column = { title: "TEXT", align: "left", shrinksTo: 10 };
  const rows = [["abcdefgh", "x".repeat(20)]];
  expect(renderTable([id, text], rows, { ...plain, width: 26 })).toContain(`abc…  ${"x".repeat(20)}`);
  expect(renderTable([id, text], rows, { ...plain, width: 20 })).toContain(`abc…  ${"x".repeat(13)}…`);
});

test("no rows are no table", () => {
  expect(renderTable(columns, [], plain)).toBe("");
});
