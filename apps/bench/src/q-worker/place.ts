import type { FieldName } from "../field-name.ts";
import type { AnyPlace } from "../peer.ts";

/** Where the app of `app.ts` works. */
export interface WorkerPlace {
  readonly field: FieldName;
  readonly place: AnyPlace;
}

/** Variable of the environment that holds it, as JSON. */
export const placeVariable = "Q_BENCH_PLACE";
