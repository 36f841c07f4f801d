// Which inspected hosts a NO_PROXY list takes out of the gateway's sight. Clients read NO_PROXY in
// many ways; this one errs on the side of naming too many, because it only feeds a warning.

/** An entry of NO_PROXY with the inspect entry that it covers. */
export interface Bypass {
  readonly noProxyEntry: string;
  readonly inspectEntry: string;
}

/** The overlaps, one an inspect entry; local names in NO_PROXY are no matter. */
export function bypassed(noProxy: string, inspectEntries: readonly string[]): Bypass[] {
  const excluded = noProxy
    .split(/[\s,]+/)
    .map((entry) => ({ entry, host: bare(entry) }))
    .filter(({ entry, host }) => entry === "*" || (host !== "" && !LOCAL.has(host)));
  return inspectEntries.flatMap((inspectEntry) => {
    const host = bare(inspectEntry);
    const covering = excluded.find(
      (each) =>
        each.entry === "*" ||
        isUnder(host, each.host) ||
        (inspectEntry.startsWith("*") && isUnder(each.host, host)),
    );
    return covering === undefined || host === "" ? [] : [{ noProxyEntry: covering.entry, inspectEntry }];
  });
}

const LOCAL = new Set(["localhost", "127.0.0.1", "::1", "[::1]"]);

/** The name without wildcard, leading dot and port, lower case. */
function bare(entry: string): string {
  return entry
    .toLowerCase()
    .replace(/^\*?\.?/, "")
    .replace(/:(?:\d+|\*)$/, "");
}

function isUnder(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}
