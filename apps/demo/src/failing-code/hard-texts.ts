import type { Failure } from "./failure.ts";

function longMessage(occurrence: number): unknown {
  throw new Error(`statement ${occurrence}: SELECT ${"column, ".repeat(15_000)} FROM orders`);
}

function manyLines(): unknown {
  throw new Error(Array.from({ length: 2000 }, (_, line) => `line ${line} does not parse`).join("\n"));
}

function emoji(): unknown {
  throw new Error("shipping failed 🚚💥 for 👩‍👩‍👧‍👦 in 🇦🇹");
}

function rightToLeft(): unknown {
  throw new Error("فشل الدفع رقم ٤٢ / התשלום נכשל");
}

function turnedByControls(): unknown {
  throw new Error("file name \u202Efdp.exe\u202C is not allowed");
}

function loneSurrogates(): unknown {
  throw new Error(`cut in half: ${"😀".slice(0, 1)} and ${"😀".slice(1)}`);
}

function combiningMarks(): unknown {
  throw new Error(`unreadable: Z${"\u0351\u036B\u0343".repeat(60)} A\u030A`);
}

function nulAndControls(): unknown {
  throw new Error("field ends early\u0000 here\u0007\u001B[31m and rings");
}

function cjkText(): unknown {
  throw new Error("在庫がありません。注文を確認できませんでした。请稍后再试。");
}

function emptyMessage(): unknown {
  throw new Error("");
}

function looksLikeStack(): unknown {
  throw new Error("Error: no\n    at forged (/etc/passwd:1:1)\n    at forged (/etc/shadow:2:2)");
}

function looksLikeSql(): unknown {
  throw new Error(`no customer named Robert'); DROP TABLE events;-- "quoted" \\`);
}

/** Messages that are hard to store, to cut or to show. */
export const hardTexts: readonly Failure[] = [
  longMessage,
  manyLines,
  emoji,
  rightToLeft,
  turnedByControls,
  loneSurrogates,
  combiningMarks,
  nulAndControls,
  cjkText,
  emptyMessage,
  looksLikeStack,
  looksLikeSql,
];
