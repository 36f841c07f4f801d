// The contract between a daemon and the control plane: every endpoint with its name, its input and
// its output. The daemon calls, the server answers; both check with these schemas. A newer peer may
// add fields, so replies are checked openly. Bodies are JSON, names are snake_case, times are Unix
// milliseconds. request-signature.ts signs requests, signed.ts checks the server's signed texts.

import {
  type AnySchema,
  flag,
  list,
  map,
  number,
  object,
  optional,
  pair,
  type Schema,
  text,
  type Value,
  words,
} from "../schema.ts";

/** Whether a device may go on. Every reply says so; a revoked device keeps its last policy and loses central approvals. */
export const DEVICE_STATES = ["active", "revoked"] as const;

/** The kinds of bundles. A dry bundle is judged beside the enforced one and only reported. */
export const BUNDLE_KINDS = ["enforced", "dry"] as const;

/** enforced: decides. dry: is only compared with what decides. */
export type BundleKind = (typeof BUNDLE_KINDS)[number];

/** Waits and ends that one call of `approvals` may tell together. */
export const TOLD_MAX = 500;

/** A text that the server's key of this tenant signs; see signed.ts for the kinds and their payloads. */
export const signedText = object({
  kind: words(["bundle", "decision", "keys"]),
  payload: text("JSON; these octets are signed"),
  key: text("id of the key"),
  signature: text("Ed25519 in base64"),
});

const standing = {
  device: words(DEVICE_STATES),
  server_time_ms: number(),
};

const policyPosition = object({
  epoch: number("of the tenant; a higher epoch wins over any revision"),
  revision: number("grows with every roll-out and every restore"),
  digest: text("sha256 of the policy text, in hex"),
});

/** A public key of the tenant. */
export const serverKey = object({ id: text(), public_key: text("Ed25519, DER (SPKI) in base64") });

const enrollInput = object({
  token: text("one-time token as it was handed out: idet_<tenant>_<secret>"),
  public_key: text("the device's Ed25519 key, DER (SPKI) in base64"),
  proof: text("signature by that key over `iddio fleet enroll v1\\n<token>\\n<public_key>\\n`, in base64"),
  name: text("the machine's own name; shown, and never believed"),
  platform: text("linux-x64"),
  version: text("of iddio"),
});

const enrollOutput = object({
  ...standing,
  tenant: text("id of the tenant"),
  tenant_name: text(),
  device_id: text(),
  owner: text("the person to whom the token was issued: requester of whatever the device asks"),
  owner_id: optional(text("the id of that person, by which decisions name people")),
  epoch: number("of the tenant now"),
  keys: list(serverKey, "keys to pin: whatever else is signed by another key is refused"),
  sync_ms: number("how long the device waits between two syncs"),
});

const preflightInput = object({
  version: text(),
  platform: text(),
  mode: text("the mode of the gateway: enforce, observe …"),
  policy: optional(policyPosition),
  dry_policy: optional(policyPosition),
  local_digest: optional(text("sha256 of the local policy.yaml")),
  audit: object({
    chain: text("id of the chain of rows, 16 hex digits; new when the device had to begin again"),
    last_seq: number("the last row that the device has; 0 for none"),
  }),
});

const preflightOutput = object({
  ...standing,
  sync_ms: number(),
  policy: optional(policyPosition),
  dry_policy: optional(policyPosition),
  audit_acked_seq: number("all rows of this chain up to here are stored"),
  keys: optional(signedText),
});

const auditInput = object({
  chain: text("16 hex digits"),
  from_seq: number("sequence of the first line; the first of a chain is 1"),
  prev: text("hash of the row before, in hex; 64 zeros before the first"),
  lines: list(text("one row of audit.jsonl without its newline"), "at most 1,000 lines and 4 MiB"),
});

const auditOutput = object({
  ...standing,
  acked_seq: number("all rows of this chain up to here are stored; send on from the next"),
});

const policyInput = object({
  kind: words(BUNDLE_KINDS),
  have: optional(policyPosition),
});

const policyOutput = object({
  ...standing,
  bundle: optional(signedText),
});

const postflightInput = object({
  policy: optional(policyPosition),
  dry_policy: optional(policyPosition),
  /** Why a bundle was not taken, as a clause; absent when all is well. */
  refused: optional(text()),
  audit_last_seq: number(),
  held: number("asks that wait here"),
});

const onlyStanding = object({ ...standing });

/** An ask that waits on a device, as people elsewhere are shown it. Secrets in it are masked by the device. */
export const heldApproval = object({
  id: text("appr_b450aafa"),
  digest: text("of the ask; a decision is bound to it"),
  nonce: text("32 hex digits, random for this hold; a decision is bound to it"),
  carrier: text(),
  protocol: text(),
  tier: text("observe, modify, sensitive, break-glass or unknown"),
  command: text(),
  host: text(),
  port: number(),
  labels: map(text()),
  rule: text(),
  reason: text(),
  evidence: list(
    object({ label: text(), text: text(), pairs: optional(list(pair(text(), text()))) }),
    "the first is the ask itself, whole",
  ),
  effect: optional(list(text(), "its effect, as far as a preview told; a line each")),
  client: text("program, process and user, as the device saw them"),
  run: optional(text("name of the `iddio run` that asks")),
  agent: optional(text()),
  held_ms: number("since when it waits"),
  ends_ms: number("when it times out on the device"),
  is_central: flag("only a decision from here may allow it; the device itself may only deny"),
});

/** How a hold ended on the device. */
export const endedHold = object({
  id: text(),
  nonce: text(),
  outcome: words(["approved", "denied", "timed_out", "withdrawn", "refused"]),
  by: optional(text("who decided, when it was decided there; a central decision's own name otherwise")),
  ended_ms: number(),
});

const approvalsInput = object({
  held: list(heldApproval, "new ones; sending one again changes nothing"),
  ended: list(endedHold),
  /** Every hold that waits now, by nonce: a hold that the server knows and that is missing here has ended. */
  waiting: optional(list(text())),
});

const waitInput = object({
  policy: optional(policyPosition),
  dry_policy: optional(policyPosition),
  after: number("cursor of the last decision that the device has handled; 0 at first"),
  wait_ms: number("how long the server may wait for news; at most 55 s"),
});

const waitOutput = object({
  ...standing,
  policy: optional(policyPosition),
  dry_policy: optional(policyPosition),
  decisions: list(signedText, "in order"),
  cursor: number("hand it back as `after`"),
});

/** One endpoint that daemons call. */
export interface FleetEndpoint<Input, Output> {
  readonly path: `/fleet/v1/${string}`;
  readonly about: string;
  readonly input: Schema<Input>;
  readonly output: Schema<Output>;
  readonly inputMaxBytes: number;
}

const MEBIBYTE = 1024 * 1024;

function endpoint<Input, Output>(
  path: FleetEndpoint<Input, Output>["path"],
  about: string,
  input: Schema<Input>,
  output: Schema<Output>,
  inputMaxBytes = 64 * 1024,
): FleetEndpoint<Input, Output> {
  return { path, about, input, output, inputMaxBytes };
}

/** All of them; each is a POST below the server's address. Only `enroll` is not signed by an enrolled device. */
export const FLEET_ENDPOINTS = {
  enroll: endpoint("/fleet/v1/enroll", "makes a device of a one-time token", enrollInput, enrollOutput),
  preflight: endpoint(
    "/fleet/v1/preflight",
    "begins a sync: the state of the device, the policy that it should have",
    preflightInput,
    preflightOutput,
  ),
  audit: endpoint("/fleet/v1/audit", "stores audit rows, each once", auditInput, auditOutput, 8 * MEBIBYTE),
  policy: endpoint(
    "/fleet/v1/policy",
    "the bundle for this device; none when the device has it already",
    policyInput,
    policyOutput,
  ),
  postflight: endpoint(
    "/fleet/v1/postflight",
    "ends a sync: the result on the device",
    postflightInput,
    onlyStanding,
  ),
  approvals: endpoint(
    "/fleet/v1/approvals",
    "tells which asks wait, and how they ended",
    approvalsInput,
    onlyStanding,
    4 * MEBIBYTE,
  ),
  wait: endpoint("/fleet/v1/wait", "waits for a decision or another policy", waitInput, waitOutput),
} as const satisfies Readonly<Record<string, FleetEndpoint<never, never> | AnyFleetEndpoint>>;

/** An endpoint whose types do not matter. */
export interface AnyFleetEndpoint extends Omit<FleetEndpoint<unknown, unknown>, "input" | "output"> {
  readonly input: AnySchema;
  readonly output: AnySchema;
}

/** The name of an endpoint. */
export type FleetCall = keyof typeof FLEET_ENDPOINTS;

/** An endpoint's input. */
export type FleetInput<C extends FleetCall> = Value<(typeof FLEET_ENDPOINTS)[C]["input"]>;

/** An endpoint's output. */
export type FleetOutput<C extends FleetCall> = Value<(typeof FLEET_ENDPOINTS)[C]["output"]>;

/** A hold as it travels. */
export type HeldApproval = Value<typeof heldApproval>;

/** The end of a hold as it travels. */
export type EndedApproval = Value<typeof endedHold>;

/** Which policy a device has, or should have. */
export type PolicyPosition = Value<typeof policyPosition>;

/** A public key of the tenant. */
export type ServerKey = Value<typeof serverKey>;

/** A signed text as it travels. */
export type SignedText = Value<typeof signedText>;

/**
 * A refusal: `application/problem+json` with `code`. bad-token: enrolment only. unknown-device, bad-signature: not this
 * server's device. bad-time: the clock is off; set it by `server_time_ms` and try again. revoked. fork: rows of this chain
 * are stored already and differ, so the device begins a new chain. gap: rows are missing before `from_seq`; send on behind
 * `acked_seq`. bad-input. too-many: later, after `Retry-After`.
 */
export const PROBLEM_CODES = [
  "no-tenant",
  "bad-token",
  "unknown-device",
  "bad-signature",
  "bad-time",
  "revoked",
  "fork",
  "gap",
  "bad-input",
  "too-many",
  "unavailable",
] as const;

/** The body of a refusal. */
export const fleetProblem = object({
  title: text(),
  status: number(),
  code: words(PROBLEM_CODES),
  detail: optional(text()),
  server_time_ms: optional(number()),
  acked_seq: optional(number()),
});

/** The body of a refusal. */
export type FleetProblem = Value<typeof fleetProblem>;
