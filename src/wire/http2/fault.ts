// Why an HTTP/2 connection ends: the result of a broken rule.

/** A connection error (RFC 9113 5.4.1): its code, and a short ASCII clause. */
export interface Http2Fault {
  readonly code: number;
  readonly reason: string;
}

/** See `Http2Fault`. */
export function fault(code: number, reason: string): Http2Fault {
  return { code, reason };
}
