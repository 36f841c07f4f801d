// Reads the target of a Google REST request into segments, custom verb and the kind of
// endpoint (plain, upload, batch). Dialect: split on raw slashes, then decode each segment,
// so `%2F` belongs to an object's name. Where a colon is encoded, nobody can tell whether it
// starts a verb: the caller is told and must take the stricter reading.

import { decodePercent, parseQuery, readPathSplitFirst, splitTarget } from "../wire/path.ts";

/** A target taken apart. */
export interface GoogleTarget {
  readonly kind: "rest" | "upload" | "batch";
  /** Decoded; without endpoint prefixes (`upload`, `batch`) and without the custom verb. */
  readonly segments: readonly string[];
  /** What follows the last colon, where it could be a custom verb. */
  readonly verb: string | undefined;
  /** A custom verb that is there only if an encoded colon or letter counts as one. */
  readonly doubtfulVerb: string | undefined;
  readonly query: readonly (readonly [string, string])[];
}

const VERB = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** Takes a target apart, or says why it reads in two ways. */
export function readGoogleTarget(target: string): GoogleTarget | { readonly problem: string } {
  const { path, query } = splitTarget(target);
  const reading = readPathSplitFirst(path);
  if (reading.kind === "ambiguous") return { problem: reading.reason };
  const pairs = parseQuery(query);
  if (pairs === undefined) return { problem: "malformed query" };
  const { kind, skipped } = endpointOf(reading.segments);
  const segments = reading.segments.slice(skipped);
  const raw = path.endsWith("/") ? path.slice(0, -1) : path;
  const last = readVerb(raw.slice(raw.lastIndexOf("/") + 1));
  if (last.verb !== undefined && segments.length > 0) segments[segments.length - 1] = last.name;
  return { kind, segments, verb: last.verb, doubtfulVerb: last.doubtful, query: pairs };
}

function endpointOf(segments: readonly string[]): {
  readonly kind: GoogleTarget["kind"];
  readonly skipped: number;
} {
  const [first, second] = segments;
  if (first === "batch") return { kind: "batch", skipped: 1 };
  if (first === "upload" || first === "download")
    return { kind: first === "upload" ? "upload" : "rest", skipped: 1 };
  if ((first === "resumable" || first === "simple") && second === "upload")
    return { kind: "upload", skipped: 2 };
  return { kind: "rest", skipped: 0 };
}

interface LastSegment {
  readonly name: string;
  readonly verb: string | undefined;
  readonly doubtful: string | undefined;
}

function readVerb(raw: string): LastSegment {
  const decoded = decodePercent(raw) ?? raw;
  const colon = decoded.lastIndexOf(":");
  if (colon < 0) return { name: decoded, verb: undefined, doubtful: undefined };
  const verb = decoded.slice(colon + 1);
  if (!VERB.test(verb)) return { name: decoded, verb: undefined, doubtful: undefined };
  if (raw.slice(raw.lastIndexOf(":") + 1) !== verb || !raw.includes(":"))
    return { name: decoded, verb: undefined, doubtful: verb };
  return { name: decoded.slice(0, colon), verb, doubtful: undefined };
}
