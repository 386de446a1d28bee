import type { Failure } from "./failure.ts";

class StorageError extends Error {
  override readonly name: string = "StorageError";
}

class CheckoutError extends Error {
  override readonly name: string = "CheckoutError";
  readonly orderId: number;

  constructor(message: string, orderId: number, cause: unknown) {
    super(message, { cause });
    this.orderId = orderId;
  }
}

/** Its name is that of its parent, as where somebody forgot to set it. */
class NamelessError extends Error {}

function readConfig(): unknown {
  try {
    return JSON.parse("{ limit: 10 }");
  } catch (cause) {
    throw new StorageError("the settings file cannot be read", { cause });
  }
}

function threeCauses(occurrence: number): unknown {
  try {
    try {
      return readConfig();
    } catch (cause) {
      throw new Error("prices are not known", { cause });
    }
  } catch (cause) {
    throw new CheckoutError(`order ${occurrence} cannot be placed`, occurrence, cause);
  }
}

function causeIsText(occurrence: number): unknown {
  throw new CheckoutError("the card was declined", occurrence, "insufficient funds");
}

function causesInCircle(): unknown {
  const first = new StorageError("replica waits for the primary");
  const second = new StorageError("primary waits for the replica", { cause: first });
  first.cause = second;
  throw second;
}

function thirtyCauses(): unknown {
  let cause: unknown;
  for (let depth = 0; depth < 30; depth++) cause = new StorageError(`layer ${depth} failed`, { cause });
  throw cause;
}

function groupWithCauses(occurrence: number): unknown {
  const failures = [readConfig, () => decodeURIComponent("%")].map((step) => {
    try {
      return step();
    } catch (error) {
      return error;
    }
  });
  throw new AggregateError(failures, `${failures.length} of 5 steps of import ${occurrence} failed`, {
    cause: "night run",
  });
}

function forgottenName(): unknown {
  throw new NamelessError("who am I");
}

function renamedError(): unknown {
  throw Object.assign(new Error("license expired"), { name: "LicenseError", code: "E_LICENSE", seats: 5 });
}

function hostileGetters(): unknown {
  throw Object.defineProperties(new StorageError("unreadable"), {
    message: {
      get: () => {
        throw new Error("do not look at my message");
      },
    },
    stack: {
      get: () => {
        throw new Error("do not look at my stack");
      },
    },
  });
}

/** Chains of causes, groups, and errors of the program's own classes. */
export const causes: readonly Failure[] = [
  threeCauses,
  causeIsText,
  causesInCircle,
  thirtyCauses,
  groupWithCauses,
  forgottenName,
  renamedError,
  hostileGetters,
];
