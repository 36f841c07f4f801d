// Calls to the control plane, signed by the device's key. Owns the conditions on an answer before
// anybody looks at it: from an address that may be reached, bounded, JSON of the shape that the
// contract has. Whatever it signs is checked elsewhere.

import { createPrivateKey, type KeyObject } from "node:crypto";
import { valueProblem } from "../../api/check-value.ts";
import {
  FLEET_ENDPOINTS,
  type FleetCall,
  type FleetInput,
  type FleetOutput,
  type FleetProblem,
  fleetProblem,
} from "../../api/fleet/protocol.ts";
import { signedHeaders } from "../../api/fleet/request-signature.ts";
import { type OutboundRequest, sendRequest } from "../../host/outgoing/send-request.ts";
import type { Enrolment } from "./enrolment.ts";

/** How a call went. */
export type FleetAnswer<C extends FleetCall> =
  | { readonly kind: "answered"; readonly value: FleetOutput<C> }
  | { readonly kind: "problem"; readonly problem: FleetProblem; readonly afterMs?: number }
  | { readonly kind: "unreachable"; readonly reason: string };

/** How a call is sent; every part has a bound of its own. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** A bundle holds a policy of at most 1 MiB, escaped. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const MAX_SKEW_MS = 7 * 24 * 60 * 60_000;

/** Where a control plane is, and how it is reached. */
export interface FleetPlace {
  readonly url: string;
  readonly caPem?: string;
  readonly proxyFor: (url: string) => string;
}

/** Sends one call without a signature: only an enrolment has none. */
export async function callUnsigned<C extends FleetCall>(
  place: FleetPlace,
  call: C,
  body: string,
  headers: Readonly<Record<string, string>>,
  { signal, timeoutMs }: CallOptions = {},
): Promise<FleetAnswer<C>> {
  const url = `${place.url.replace(/\/+$/, "")}${FLEET_ENDPOINTS[call].path}`;
  const request: OutboundRequest = {
    url,
    headers: { "content-type": "application/json", accept: "application/json", ...headers },
    body,
    reach: "private",
    proxy: place.proxyFor(url),
    maxAnswerBytes: MAX_ANSWER_BYTES,
    ...(place.caPem === undefined ? {} : { caPem: place.caPem }),
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  const answer = await sendRequest(request);
  if (answer.kind === "unreachable") return answer;
  const { status, text, afterMs } = answer;
  const value = parsed(text);
  if (status === 200) {
    const problem = valueProblem(FLEET_ENDPOINTS[call].output, value, "open");
    return problem === undefined
      ? { kind: "answered", value: value as FleetOutput<C> }
      : { kind: "unreachable", reason: `its answer to ${call} breaks the contract: ${problem}` };
  }
  if (valueProblem(fleetProblem, value, "open") !== undefined)
    return { kind: "unreachable", reason: `it answered ${status} to ${call}` };
  return { kind: "problem", problem: value as FleetProblem, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** The calls of one enrolled device. */
export class FleetLink {
  readonly #place: FleetPlace;
  readonly #enrolment: Enrolment;
  readonly #key: KeyObject;
  /** How much the server's clock is ahead of ours. */
  #skewMs = 0;

  constructor(enrolment: Enrolment, proxyFor: (url: string) => string) {
    this.#enrolment = enrolment;
    this.#place = {
      url: enrolment.url,
      proxyFor,
      ...(enrolment.ca_pem === undefined ? {} : { caPem: enrolment.ca_pem }),
    };
    this.#key = createPrivateKey(enrolment.private_key);
  }

  /** Now, by the server's clock as far as it is known. */
  get nowMs(): number {
    return Date.now() + this.#skewMs;
  }

  /** One call. A clock that is off is set by the server's, once. */
  async call<C extends FleetCall>(
    call: C,
    input: FleetInput<C>,
    options: CallOptions = {},
  ): Promise<FleetAnswer<C>> {
    const first = await this.#send(call, input, options);
    if (first.kind !== "problem" || first.problem.code !== "bad-time") return first;
    const skewMs = (first.problem.server_time_ms ?? Date.now()) - Date.now();
    if (!(Math.abs(skewMs) <= MAX_SKEW_MS)) return first;
    this.#skewMs = skewMs;
    return this.#send(call, input, options);
  }

  #send<C extends FleetCall>(call: C, input: FleetInput<C>, options: CallOptions): Promise<FleetAnswer<C>> {
    const body = JSON.stringify(input);
    const { path } = FLEET_ENDPOINTS[call];
    const identity = { tenant: this.#enrolment.tenant, device: this.#enrolment.device_id };
    const headers = signedHeaders(identity, this.#key, { path, body, timeMs: this.nowMs });
    return callUnsigned(this.#place, call, body, headers, options);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
