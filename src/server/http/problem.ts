// Refusals of the server: `application/problem+json` (RFC 9457) with a code that programs may rely
// on. Whatever else goes wrong is a 500 that tells nothing.

/** A refusal on its way out. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly more: Readonly<Record<string, unknown>>;

  constructor(status: number, code: string, title: string, more: Readonly<Record<string, unknown>> = {}) {
    super(title);
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

/** The answer that a refusal becomes. */
export function problemResponse({ status, code, message, more }: Problem): Response {
  const { retry_after_s: seconds, ...rest } = more;
  return new Response(JSON.stringify({ type: "about:blank", title: message, status, code, ...rest }), {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(typeof seconds === "number" ? { "retry-after": String(seconds) } : {}),
    },
  });
}

/** An answer with a JSON body. */
export function jsonResponse(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });
}
