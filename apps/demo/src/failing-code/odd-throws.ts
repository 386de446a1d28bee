import type { Failure } from "./failure.ts";

function throwText(occurrence: number): unknown {
  throw `upload ${occurrence} failed`;
}

function throwNumber(): unknown {
  throw 404;
}

function throwNull(): unknown {
  throw null;
}

function throwNothing(): unknown {
  throw undefined;
}

function throwSymbol(): unknown {
  throw Symbol("cancelled");
}

function throwBigint(): unknown {
  throw 2n ** 64n;
}

function throwObject(): unknown {
  throw { status: 422, reason: "the form is incomplete" };
}

function throwFunction(): unknown {
  throw function rollback() {};
}

function throwPromise(): unknown {
  throw Promise.resolve("a promise is no error");
}

function throwProxy(): unknown {
  const refuse = (): never => {
    throw new Error("the proxy does not answer");
  };
  throw new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse });
}

/** Anything can be thrown, not only errors. */
export const oddThrows: readonly Failure[] = [
  throwText,
  throwNumber,
  throwNull,
  throwNothing,
  throwSymbol,
  throwBigint,
  throwObject,
  throwFunction,
  throwPromise,
  throwProxy,
];
