// The lines of a recording with their meaning. Unreadable lines are left out: a recording may have
// been cut off, and later versions may know more kinds of lines.

/** One event. */
export type RecordedEvent =
  | { readonly kind: "data"; readonly seconds: number; readonly stream: string; readonly bytes: Uint8Array }
  /** Content that was not kept. */
  | { readonly kind: "length"; readonly seconds: number; readonly stream: string; readonly octets: number }
  | { readonly kind: "resize"; readonly seconds: number; readonly columns: number; readonly rows: number }
  | { readonly kind: "connect" | "disconnect"; readonly seconds: number; readonly text: string }
  | { readonly kind: "problem"; readonly seconds: number; readonly text: string }
  | { readonly kind: "end"; readonly seconds: number; readonly exitCode: number | undefined };

/** Reads one line; undefined for the header and for unknown lines. */
export function eventOfLine(line: string): RecordedEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (Array.isArray(value)) return eventOf(value);
  if (typeof value !== "object" || value === null) return undefined;
  const { problem, seconds, end } = value as { problem?: unknown; seconds?: unknown; end?: unknown };
  if (typeof problem === "string") return { kind: "problem", seconds: Number(seconds), text: problem };
  if (typeof end !== "object" || end === null) return undefined;
  const { seconds: last, exit_code: code } = end as { seconds?: unknown; exit_code?: unknown };
  return { kind: "end", seconds: Number(last), exitCode: typeof code === "number" ? code : undefined };
}

function eventOf([seconds, stream, what]: readonly unknown[]): RecordedEvent | undefined {
  if (typeof seconds !== "number" || typeof stream !== "string") return undefined;
  if (stream === "resize" && typeof what === "string") {
    const [columns, rows] = what.split("x").map(Number);
    return { kind: "resize", seconds, columns: columns ?? 0, rows: rows ?? 0 };
  }
  if (stream === "connect" || stream === "disconnect") {
    const { connection, port } = (what ?? {}) as { connection?: unknown; port?: unknown };
    return {
      kind: stream,
      seconds,
      text: `connection ${String(connection)}${port === undefined ? "" : ` to port ${String(port)}`}`,
    };
  }
  if (typeof what === "number") return { kind: "length", seconds, stream, octets: what };
  if (typeof what !== "string") return undefined;
  return { kind: "data", seconds, stream, bytes: bytesOf(what) };
}

/** Base64 without functions that only one side has: the console's page reads recordings too. */
function bytesOf(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
