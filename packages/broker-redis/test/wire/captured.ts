import { readFileSync } from "node:fs";

/** An element of a list, as a real Celery has pushed it. */
export interface Captured {
  /** `celery-5.2 worker_retry 2` */
  readonly name: string;
  readonly list: string;
  readonly raw: string;
}

/** Every captured envelope. */
export function readCaptured(): readonly Captured[] {
  return ["celery-5.2", "celery-5.6"].flatMap((version) => {
    const entries = JSON.parse(readFileSync(new URL(`${version}.json`, import.meta.url), "utf8")) as readonly {
      readonly case: string;
      readonly list: string;
      readonly raw: string;
    }[];
    return entries.map(({ case: name, list, raw }, index) => {
      const place = entries.slice(0, index).filter((other) => other.case === name).length + 1;
      return { name: `${version} ${name} ${place}`, list, raw };
    });
  });
}
