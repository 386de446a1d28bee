/** The years that Python knows; all of them have four digits. */
const earliestMs = Date.parse("0001-01-01T00:00:00.000Z");
const latestMs = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * A time as Celery writes it: `2026-11-22T05:34:38.098000+00:00`. Always six digits of fraction: Celery 5.2 reads `.098`
 * as 98 microseconds.
 * @param epochMs outside of the years 1 to 9999, the nearest time within
 */
export function formatTime(epochMs: number): string {
  const iso = new Date(Math.min(latestMs, Math.max(earliestMs, epochMs))).toISOString();
  return `${iso.slice(0, 23)}000+00:00`;
}

const datePart = /(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))/.source;
const timePart = /((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)(?:\.(\d{0,9}))?/.source;
const offsetPart = /(Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?/.source;
const form = new RegExp(`^${datePart}(?:[T ]${timePart}${offsetPart})?$`);

/**
 * Epoch milliseconds of an ISO 8601 time in the forms that Celery producers write; `null` when it is none. Microseconds
 * stay, as a fraction.
 * @param withoutOffset how to read a time that names no offset: as UTC, or in this machine's time zone
 */
export function parseTime(text: string, withoutOffset: "utc" | "local" = "utc"): number | null {
  const match = form.exec(text);
  if (match === null) return null;
  // The pattern guarantees the date.
  const [, date, time = "00:00", fraction = "", offset = withoutOffset === "utc" ? "Z" : ""] = match as unknown as [
    string,
    string,
    ...string[],
  ];
  // Date.parse takes the 31st of a shorter month for the first of the next.
  if (new Date(Date.parse(date)).getUTCDate() !== Number(date.slice(8))) return null;
  const wholeMs = Date.parse(`${date}T${time}${offset.replace(/(\d\d)(\d\d)$/, "$1:$2")}`);
  return wholeMs + Number(fraction.padEnd(6, "0").slice(0, 6)) / 1000;
}
