// Why an upstream could not be used, as a text for the client and the log, with the state of the
// request: whether some of it was sent, and whether it helps to send it again.

import type { Remedy } from "../../ca/verify/verify-chain.ts";

/**
 * `unreachable`: no connection. `unverified`: its certificate is not trusted. `unwritable`: its HTTP version cannot say
 * the request. `broken`: it spoke wrongly or went away, after the request was on its way. `busy`: iddio itself had no
 * room for another connection, and nothing was dialled.
 */
export type UpstreamFailure = "unreachable" | "unverified" | "unwritable" | "broken" | "busy";

/** Thrown by everything that dials or reads an upstream; `message` is one lower-case clause without secrets. */
export class UpstreamError extends Error {
  readonly failure: UpstreamFailure;
  /** Whether a byte of the answer had arrived; a request is never sent again after that. */
  readonly hasAnswered: boolean;
  /** The upstream certainly did nothing with the request, and nothing of its body was used up. */
  readonly wasUnprocessed: boolean;
  /** Trying again gives the same. */
  readonly isLasting: boolean;
  /** The registration that would make an unverified upstream acceptable, if there is one. */
  readonly remedy: Remedy | undefined;

  /** The status code of the client's answer: 503 when the upstream was busy, 502 otherwise. */
  get status(): 502 | 503 {
    return this.failure === "busy" ? 503 : 502;
  }

  constructor(
    failure: UpstreamFailure,
    message: string,
    options: {
      cause?: unknown;
      hasAnswered?: boolean;
      wasUnprocessed?: boolean;
      isLasting?: boolean;
      remedy?: Remedy | undefined;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.failure = failure;
    this.hasAnswered = options.hasAnswered ?? false;
    this.wasUnprocessed = options.wasUnprocessed ?? false;
    this.isLasting = options.isLasting ?? (failure === "unverified" || failure === "unwritable");
    this.remedy = options.remedy;
  }

  /** Some of the request went out and may have been carried out: nobody knows. */
  get wasSent(): boolean {
    return this.failure === "broken" && !this.wasUnprocessed;
  }
}

/**
 * The message for a client whose request went unjudged. Once an octet of it went out, the message warns that
 * the outcome is unknown.
 */
export function unjudgedFailure({ message, wasSent }: UpstreamError): string {
  return wasSent
    ? `${message}; the outcome is unknown: the request may have been carried out, so look before it is sent again`
    : message;
}
