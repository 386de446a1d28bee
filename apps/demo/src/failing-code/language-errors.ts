import vm from "node:vm";
import type { Failure } from "./failure.ts";

interface Cart {
  readonly items: readonly { readonly price: number; readonly label: string }[];
  readonly total: () => number;
}

/** Input from outside that its type does not describe: the origin of most TypeErrors. */
function received<Shape>(json: string): Shape {
  return JSON.parse(json) as Shape;
}

function propertyOfNull(): unknown {
  return received<Cart>("null").items.length;
}

function propertyOfUndefined(): unknown {
  return received<Cart>("{}").items.map((item) => item.label.toUpperCase());
}

function callOfNoFunction(): unknown {
  return received<Cart>('{"total": 12}').total();
}

function loopOverNumber(): unknown {
  return [...received<Cart["items"]>("17")];
}

function writeToFrozen(occurrence: number): unknown {
  const settings: { retries: number } = Object.freeze({ retries: 3 });
  settings.retries = occurrence;
  return settings;
}

function numberPlusBigint(occurrence: number): unknown {
  const price: number = received<number>("12");
  // The wrong type comes through a list of mixed numbers.
  const amounts: number[] = [price, BigInt(occurrence) as unknown as number];
  return amounts.reduce((sum, amount) => sum + amount);
}

function circleToJson(): unknown {
  const order: Record<string, unknown> = { id: 7 };
  order["customer"] = { lastOrder: order };
  return JSON.stringify(order);
}

function constructNoClass(): unknown {
  const plugin = received<{ Parser: new () => object }>('{"Parser": {}}');
  return new plugin.Parser();
}

class Account {
  #balance = 0;

  static balanceOf(account: Account): number {
    return account.#balance;
  }
}

function privateOfOther(): unknown {
  return Account.balanceOf(received<Account>('{"balance": 5}'));
}

function symbolToText(): unknown {
  const key: unknown = Symbol("tenant");
  // The cast is the mistake.
  return `tenant-${key as string}`;
}

function digitsOutOfRange(occurrence: number): unknown {
  return (1 / 3).toFixed(101 + (occurrence % 20));
}

function negativeLength(): unknown {
  return new Array(received<number>("-1"));
}

function dateOutOfRange(): unknown {
  return new Date(Number.NaN).toISOString();
}

function textTooOften(): unknown {
  return "=".repeat(-5);
}

function unknownTimeZone(occurrence: number): unknown {
  return new Intl.DateTimeFormat("en", { timeZone: `Mars/Crater_${occurrence}` });
}

function endlessRecursion(): unknown {
  const depthOf = (node: { parent?: unknown }): number => 1 + depthOf(node);
  return depthOf({});
}

function variableTooEarly(): unknown {
  const total = (): number => tax * 100;
  const early = total();
  const tax = 0.2;
  return early;
}

function unknownVariable(): unknown {
  return (new Function("return customerName.trim()") as () => unknown)();
}

function brokenJson(occurrence: number): unknown {
  return JSON.parse(`{"order": ${occurrence}, "items": [1, 2`);
}

function brokenCode(): unknown {
  return new Function("let let = 1");
}

function brokenPattern(): unknown {
  return new RegExp(received<string>('"(unclosed"'));
}

function brokenUri(): unknown {
  return decodeURIComponent("%E0%A4%A");
}

function evalForbidden(): unknown {
  const sandbox = vm.createContext({}, { codeGeneration: { strings: false, wasm: false } });
  return vm.runInContext("eval('1 + 1')", sandbox);
}

/** Each kind of error that the language itself raises. */
export const languageErrors: readonly Failure[] = [
  propertyOfNull,
  propertyOfUndefined,
  callOfNoFunction,
  loopOverNumber,
  writeToFrozen,
  numberPlusBigint,
  circleToJson,
  constructNoClass,
  privateOfOther,
  symbolToText,
  digitsOutOfRange,
  negativeLength,
  dateOutOfRange,
  textTooOften,
  unknownTimeZone,
  endlessRecursion,
  variableTooEarly,
  unknownVariable,
  brokenJson,
  brokenCode,
  brokenPattern,
  brokenUri,
];

/** A sandbox takes a millisecond to make, so it is not made for every event. */
export const slowLanguageErrors: readonly Failure[] = [evalForbidden];
