// The kinds of requests of the soak: what each asks for, how its client behaves, and how it has to
// end. Load, upstream and the reading of the audit log agree through this table and the request's
// number, which every path carries.

/** Where a client leaves, if it does. */
export type Leaving = "mid-head" | "head" | "mid-body" | "mid-reply" | "held";

/** How a request that nothing goes wrong with ends. */
export type Ending = "allowed" | "refused" | "approved" | "denied" | "withdrawn" | "undecided";

/** One kind of request. */
export interface Kind {
  readonly name: string;
  readonly method: "GET" | "PUT" | "PATCH" | "DELETE";
  /** The path up to the number, and what follows it. */
  readonly path: readonly [before: string, after: string];
  /** Bytes of the request's body. */
  readonly body: number;
  /** Bytes of the upstream's reply. */
  readonly reply: number;
  /** Request and reply have no length in advance. */
  readonly isChunked?: boolean;
  /** The reply comes in pieces with pauses, so that a killed upstream is caught in the middle of it. */
  readonly isSlow?: boolean;
  readonly upgrade?: "websocket" | "SPDY/3.1";
  /** It changes something: its intent is recorded before it is forwarded. */
  readonly isWrite: boolean;
  readonly leaves?: Leaving;
  readonly ends: Ending;
  /** How often it is chosen, against the others. */
  readonly share: number;
}

const POD = ["/api/v1/namespaces/soak/pods/p", ""] as const;
const OWN_MAP = ["/api/v1/namespaces/sandbox/configmaps/p", ""] as const;
const HELD_MAP = ["/api/v1/namespaces/soak/configmaps/p", ""] as const;
const NAMESPACE = ["/api/v1/namespaces/p", ""] as const;
const FORWARD = ["/api/v1/namespaces/sandbox/pods/p", "/portforward"] as const;
const EXEC = ["/api/v1/namespaces/sandbox/pods/p", "/exec?command=sh&stdin=true"] as const;

const read = { method: "GET", path: POD, body: 0, reply: 600, isWrite: false, ends: "allowed" } as const;
const write = {
  method: "PUT",
  path: OWN_MAP,
  body: 400,
  reply: 400,
  isWrite: true,
  ends: "allowed",
} as const;
const denied = { ...write, path: NAMESPACE, ends: "refused" } as const;
const held = { ...write, path: HELD_MAP } as const;
const LARGE = 1_500_000;

/** Every kind; a request's kind is its place here, plus one. */
export const KINDS: readonly Kind[] = [
  { ...read, name: "read", share: 600 },
  { ...read, name: "read, chunked", reply: 3_000, isChunked: true, share: 100 },
  { ...read, name: "read, large", reply: 300_000, share: 3 },
  { ...read, name: "read, slow", reply: 30_000, isChunked: true, isSlow: true, share: 6 },
  { ...read, name: "read, slow, with a length", reply: 30_000, isSlow: true, share: 6 },
  { ...write, name: "write", share: 140 },
  { ...write, name: "write, chunked", method: "PATCH", body: 9_000, isChunked: true, share: 30 },
  { ...write, name: "write, large", body: LARGE, share: 0.4 },
  { ...write, name: "write, large, chunked", body: LARGE, isChunked: true, share: 0.4 },
  { ...write, name: "delete", method: "DELETE", body: 0, share: 20 },
  { ...denied, name: "denied", method: "DELETE", body: 0, share: 30 },
  { ...denied, name: "denied, with a body", share: 10 },
  { ...held, name: "held, then allowed", ends: "approved", share: 5 },
  { ...held, name: "held, then denied", ends: "denied", share: 5 },
  { ...held, name: "held, and the client leaves", leaves: "held", ends: "withdrawn", share: 2 },
  { ...held, name: "held, decided as the client leaves", leaves: "held", ends: "undecided", share: 1 },
  { ...read, name: "left in the head", leaves: "mid-head", share: 3 },
  { ...read, name: "left after the head", leaves: "head", share: 3 },
  { ...read, name: "left in the reply", reply: 300_000, leaves: "mid-reply", share: 2 },
  { ...read, name: "left in a slow reply", reply: 30_000, isSlow: true, leaves: "mid-reply", share: 2 },
  { ...write, name: "left in the body", body: 9_000, leaves: "mid-body", share: 4 },
  { ...write, name: "left in a chunked body", body: 9_000, isChunked: true, leaves: "mid-body", share: 2 },
  { ...read, name: "websocket", path: EXEC, upgrade: "websocket", isWrite: true, reply: 0, share: 0 },
  { ...read, name: "spdy", path: FORWARD, upgrade: "SPDY/3.1", isWrite: true, reply: 0, share: 0 },
];

/** Kinds that are upgrades; they have connections of their own. */
export const UPGRADES: readonly number[] = KINDS.flatMap(({ upgrade }, index) =>
  upgrade ? [index + 1] : [],
);

/** The kind behind the byte of a ledger; undefined for a number that was never given out. */
export function kindOf(byte: number | undefined): Kind | undefined {
  return byte === undefined || byte === 0 ? undefined : KINDS[byte - 1];
}

/** Digits of a request's number. */
export const DIGITS = 8;

/** The number as paths and bodies carry it. */
export function digitsOf(id: number): string {
  return String(id).padStart(DIGITS, "0");
}

/** The target of a request. */
export function targetOf({ path: [before, after] }: Kind, id: number): string {
  return before + digitsOf(id) + after;
}

const NUMBER = /\/p(\d{8})(?:[/?]|$)/;

/** The number in a target; undefined when it has none. */
export function numberIn(target: string): number | undefined {
  const found = NUMBER.exec(target)?.[1];
  return found === undefined ? undefined : Number(found);
}

const MAP_START = Buffer.from('{"apiVersion":"v1","kind":"ConfigMap","data":{"pad":"');
const MAP_END = Buffer.from('"}}');

/** The body of a request: an object of Kubernetes, filled with the request's number. */
export function requestBody({ body }: Kind, id: number): Buffer {
  if (body === 0) return Buffer.alloc(0);
  const bytes = Buffer.alloc(body, digitsOf(id));
  MAP_START.copy(bytes);
  MAP_END.copy(bytes, body - MAP_END.length);
  return bytes;
}

/** The body of the upstream's reply: the request's number, again and again. */
export function replyBody({ reply }: Kind, id: number): Buffer {
  return Buffer.alloc(reply, digitsOf(id));
}

/** The policy under which these requests end as they do. */
export function soakPolicy(inspect: readonly string[]): string {
  return `
kubectl:
  inspect: ${JSON.stringify(inspect)}
  default: escalate
  groups:
    read: { tiers: [observe] }
    write: { tiers: [modify, sensitive] }
    worst: { tiers: [break-glass] }
    streams: { commands: [exec, port-forward] }
  namespaces:
    - names: [sandbox]
      rules: { allow: { groups: [read, write, streams] } }
  rules:
    allow: { groups: [read] }
    escalate: { groups: [write] }
    deny: { groups: [worst] }
`;
}
