// Paths and queries, read the way the upstream will read them. Each classifier picks its upstream's
// dialect; a path on which implementations are known to disagree comes back as "ambiguous", and its
// caller must then answer unknown. Nothing is ever normalised: the path is forwarded as it was
// sent.

/** The decoded segments between slashes (a trailing slash leaves none), or why two readings differ. */
export type PathReading =
  | { readonly kind: "ok"; readonly segments: readonly string[] }
  | { readonly kind: "ambiguous"; readonly reason: string };

/** Path and query of an origin-form target, both raw; the query is undefined without "?", "" after a bare one. */
export function splitTarget(target: string): { readonly path: string; readonly query: string | undefined } {
  const mark = target.indexOf("?");
  if (mark < 0) return { path: target, query: undefined };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** Percent-decodes once; undefined for a malformed escape or octets that are not UTF-8. "+" stays. */
export function decodePercent(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    // Refuses overlong forms, surrogates and truncated escapes (ECMA-262 Decode, RFC 3629).
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * Decodes, then splits: Go's `URL.Path`, and so the Kubernetes API. An encoded slash would move the
 * segments, a second layer of escapes would be undone by a careless hop, `;` starts a parameter for
 * servlet containers: all ambiguous, and none of them legal in a Kubernetes name.
 */
export function readPathDecodeFirst(path: string): PathReading {
  if (path.includes("%")) {
    if (hasEscape(path, 0x32, 0x66)) return ambiguous("encoded slash in the path");
    if (hasEscape(path, 0x32, 0x65)) return ambiguous("encoded dot in the path");
  }
  const decoded = decodePercent(path);
  if (decoded === undefined) return ambiguous("malformed percent-encoding in the path");
  if (decoded.includes("%")) return ambiguous("percent sign in the decoded path");
  if (decoded.includes(";")) return ambiguous("path parameter");
  const segments = splitPath(decoded);
  if (typeof segments === "string") return ambiguous(segments);
  const problem = segmentsProblem(segments);
  return problem === undefined ? { kind: "ok", segments } : ambiguous(problem);
}

/**
 * Splits on raw slashes, then decodes each segment: Google, GitHub, AWS REST. `%2F` belongs to a name;
 * only where dots next to it would climb for a server that decodes first is it ambiguous.
 */
export function readPathSplitFirst(path: string): PathReading {
  const raw = splitPath(path);
  if (typeof raw === "string") return ambiguous(raw);
  if (!path.includes("%")) {
    const problem = segmentsProblem(raw);
    return problem === undefined ? { kind: "ok", segments: raw } : ambiguous(problem);
  }
  const segments: string[] = [];
  for (const part of raw) {
    const decoded = decodePercent(part);
    if (decoded === undefined) return ambiguous("malformed percent-encoding in the path");
    if (decoded.includes("/") && decoded.split("/").some(isDotSegment))
      return ambiguous("dot segment in the path");
    segments.push(decoded);
  }
  const problem = segmentsProblem(segments);
  return problem === undefined ? { kind: "ok", segments } : ambiguous(problem);
}

function ambiguous(reason: string): PathReading {
  return { kind: "ambiguous", reason };
}

const MOST_SEGMENTS = 1000;

/** Segments without the leading and one trailing slash, or why there are none. */
function splitPath(path: string): string[] | string {
  if (path.charCodeAt(0) !== 0x2f) return "path does not start with a slash";
  // A bounded split is several times slower, and a short path cannot have too many.
  const segments = path.length > MOST_SEGMENTS ? path.split("/", MOST_SEGMENTS + 2) : path.split("/");
  if (segments.length > MOST_SEGMENTS + 1) return "more segments than any path has";
  segments.shift();
  if (segments[segments.length - 1] === "") segments.pop();
  return segments.includes("") ? "empty segment in the path" : segments;
}

function segmentsProblem(segments: readonly string[]): string | undefined {
  for (const segment of segments) {
    if (isDotSegment(segment)) return "dot segment in the path";
    for (let i = 0; i < segment.length; i++) {
      const code = segment.charCodeAt(i);
      if (code === 0x5c) return "backslash in the path";
      if (code < 0x20 || code === 0x7f) return "control character in the path";
    }
  }
  return undefined;
}

/** `.`, `..`, and either with `;parameters`, which servlet containers cut off before they climb. */
function isDotSegment(segment: string): boolean {
  if (segment.charCodeAt(0) !== 0x2e) return false;
  const end = segment.indexOf(";");
  const name = end < 0 ? segment : segment.slice(0, end);
  return name === "." || name === "..";
}

/** Whether an escape of these two hex digits (lower case codes) is in the text. */
function hasEscape(text: string, high: number, low: number): boolean {
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", at + 1))
    if (text.charCodeAt(at + 1) === high && (text.charCodeAt(at + 2) | 0x20) === low) return true;
  return false;
}

/**
 * The pairs of a query or form body in order: separated by "&", "+" is a space, percent-decoded.
 * Undefined when malformed, of more pairs than anybody sends, and for a raw ";", which Go drops with its pair and others split at.
 */
export function parseQuery(query: string | undefined): readonly (readonly [string, string])[] | undefined {
  if (query === undefined || query === "") return [];
  if (query.includes(";")) return undefined;
  const pairs: (readonly [string, string])[] = [];
  for (const part of query.split("&", MOST_PAIRS + 1)) {
    if (part === "") continue;
    if (pairs.length === MOST_PAIRS) return undefined;
    const equals = part.indexOf("=");
    const name = decodeFormText(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? "" : decodeFormText(part.slice(equals + 1));
    if (name === undefined || value === undefined) return undefined;
    pairs.push([name, value]);
  }
  return pairs;
}

const MOST_PAIRS = 10_000;

function decodeFormText(text: string): string | undefined {
  return decodePercent(text.includes("+") ? text.replaceAll("+", " ") : text);
}
