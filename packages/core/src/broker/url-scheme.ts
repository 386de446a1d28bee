/**
 * The scheme of a broker's URL in lower case with its colon, `redis:`. `undefined` when there is none, as before a host and port, `localhost:6379`, or a user
 * and password, `app:secret@cache`.
 * @param known schemes that are ones whatever follows
 */
export function schemeOf(url: string, known: readonly string[]): string | undefined {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0].toLowerCase();
  if (scheme === undefined || known.includes(scheme)) return scheme;
  return /^[^:/]+:(\d+(\/|$)|[^/]*@)/.test(url) ? undefined : scheme;
}
