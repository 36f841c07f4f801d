// Reads the target of a Google REST request into segments, custom verb and the kind of
// endpoint (plain, upload, batch). Dialect: split on raw slashes, then decode each segment,
// so `%2F` belongs to an object's name. Where a colon is encoded, nobody can tell whether it
// starts a verb: the caller is told and must take both readings into account.

import { parseQuery, readPathSplitFirst, splitTarget } from "../../../wire/path.ts";
import { lenientReadings } from "../../lenient-path.ts";

/** A target taken apart. */
export interface GoogleTarget {
  readonly kind: "rest" | "upload" | "batch";
  /** Decoded; without endpoint prefixes (`upload`, `batch`) and without the custom verb. */
  readonly segments: readonly string[];
  /** The text after the last colon, where it could be a custom verb. */
  readonly verb: string | undefined;
  /** A custom verb that is there only if an encoded colon or letter counts as written out. */
  readonly doubtfulVerb: string | undefined;
  readonly query: readonly (readonly [string, string])[];
}

/** Why a target reads in several ways, and what careless servers would make of it. */
export interface AmbiguousTarget {
  readonly problem: string;
  readonly guesses: readonly GoogleTarget[];
}

const VERB = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** Takes a target apart. */
export function readGoogleTarget(target: string): GoogleTarget | AmbiguousTarget {
  const { path, query } = splitTarget(target);
  const reading = readPathSplitFirst(path);
  const pairs = parseQuery(query);
  if (reading.kind === "ambiguous" || pairs === undefined) {
    const guesses = lenientReadings(path).map((segments) =>
      targetOf(segments, splitVerb(segments.at(-1)), []),
    );
    return { problem: reading.kind === "ambiguous" ? reading.reason : "malformed query", guesses };
  }
  const raw = path.endsWith("/") ? path.slice(0, -1) : path;
  const last = reading.segments.at(-1) ?? "";
  return targetOf(reading.segments, readVerb(raw.slice(raw.lastIndexOf("/") + 1), last), pairs);
}

function targetOf(
  segments: readonly string[],
  last: LastSegment,
  query: GoogleTarget["query"],
): GoogleTarget {
  const { kind, skipped } = endpointOf(segments);
  const rest = segments.slice(skipped);
  if (last.verb !== undefined && rest.length > 0) rest[rest.length - 1] = last.name;
  return { kind, segments: rest, verb: last.verb, doubtfulVerb: last.doubtfulVerb, query };
}

function endpointOf(segments: readonly string[]): {
  readonly kind: GoogleTarget["kind"];
  readonly skipped: number;
} {
  const [first, second] = segments;
  if (first === "batch") return { kind: "batch", skipped: 1 };
  if (first === "upload") return { kind: "upload", skipped: 1 };
  if ((first === "resumable" || first === "simple") && second === "upload")
    return { kind: "upload", skipped: 2 };
  return { kind: "rest", skipped: first === "download" ? 1 : 0 };
}

interface LastSegment {
  readonly name: string;
  readonly verb: string | undefined;
  readonly doubtfulVerb: string | undefined;
}

/** The name and verb of a decoded last segment. */
function splitVerb(segment = ""): LastSegment {
  const colon = segment.lastIndexOf(":");
  const verb = segment.slice(colon + 1);
  if (colon < 0 || !VERB.test(verb)) return { name: segment, verb: undefined, doubtfulVerb: undefined };
  return { name: segment.slice(0, colon), verb, doubtfulVerb: undefined };
}

function readVerb(raw: string, decoded: string): LastSegment {
  const last = splitVerb(decoded);
  if (last.verb === undefined || raw.endsWith(`:${last.verb}`)) return last;
  return { name: decoded, verb: undefined, doubtfulVerb: last.verb };
}

/** The target as it reads when its doubtful verb is one. */
export function withDoubtfulVerb(target: GoogleTarget): GoogleTarget {
  const segments = [...target.segments];
  const last = splitVerb(segments.pop());
  return { ...target, segments: [...segments, last.name], verb: last.verb, doubtfulVerb: undefined };
}
