// Who calls a control method, and which effects that kind of caller may have at all. This is the
// first check of every call; whether a person is present is another one (admit.ts). A kind that is
// not in the table may do nothing.

import type { Level } from "../model/level.ts";
import type { Effect } from "./method.ts";

/**
 * owner: the user whom the daemon serves, at a terminal or not. root: the superuser, where the daemon serves somebody
 * else. console: a session of the web console. run: an agent in `iddio run`. control-plane: a decision made on another
 * machine. slack: an approver who clicked on a card. webhook: the receiver of a webhook, by a signed callback. stranger:
 * another user, or one that the system did not name.
 */
export type PrincipalKind =
  | "owner"
  | "root"
  | "console"
  | "run"
  | "control-plane"
  | "slack"
  | "webhook"
  | "stranger";

/** The proof that a person is present, and its worth. */
export interface Presence {
  readonly factor:
    | "none"
    | "session"
    | "totp"
    | "passkey"
    | "recovery"
    | "root"
    | "central"
    | "slack"
    | "webhook";
  readonly level: Level;
}

/** Who calls. For a program on the socket the numbers are the kernel's, not the program's. */
export interface Principal {
  readonly kind: PrincipalKind;
  readonly uid?: number;
  readonly pid?: number;
  /** Name of the `iddio run` that it belongs to, and its id. */
  readonly run?: string;
  readonly run_id?: string;
  /** Of the console: the id of the session. */
  readonly session?: string;
  /** Who it is where no process of this machine calls, as rows and cards show it. */
  readonly name?: string;
  /** Of the control plane: where the answer was given, when it is worth no more than one there. */
  readonly via?: "slack" | "webhook";
  /** Set by the presence check, where the method needed one. */
  readonly presence?: Presence;
}

const MAY: Readonly<Record<PrincipalKind, readonly Effect[]>> = {
  owner: ["read", "change", "decide"],
  root: ["read", "change", "decide"],
  console: ["read", "change", "decide"],
  run: [],
  "control-plane": ["read", "decide"],
  slack: ["decide"],
  webhook: ["decide"],
  stranger: ["read"],
};

/** Callers that are not on this machine: a person elsewhere, whose proof is another than a factor of the guard. */
export const REMOTE_KINDS = ["control-plane", "slack", "webhook"] as const;

/** The kind of a caller that is not on this machine. */
export type RemoteKind = (typeof REMOTE_KINDS)[number];

/** Somebody who answers from elsewhere; `name` is for rows, events and cards: `slack T0123/U0123`. */
export interface RemoteAnswerer {
  readonly kind: RemoteKind;
  readonly name: string;
  readonly via?: "slack" | "webhook";
}

/** Answers one approval in the name of somebody elsewhere. Throws a UserError when the answer is refused. */
export type AnswerAs = (
  who: RemoteAnswerer,
  verb: "allow" | "deny",
  about: { readonly id: string; readonly digest: string; readonly reason?: string },
) => Promise<void>;

/** Whether a kind is one of them. */
export function isRemote(kind: PrincipalKind): kind is RemoteKind {
  return REMOTE_KINDS.includes(kind as RemoteKind);
}

/** Whether a kind of caller may ever have this effect. */
export function mayHaveEffect(kind: PrincipalKind, effect: Effect): boolean {
  return Object.hasOwn(MAY, kind) && MAY[kind].includes(effect);
}

/** The run that a peer belongs to; `unknown` while agents run and nobody can tell whether it is one of them. */
export type PeerRun = { readonly name: string; readonly id?: string } | "unknown" | undefined;

/** The principal behind a peer of the unix socket. `owner` is the user whom the daemon serves. */
export function socketPrincipal(
  peer: { readonly uid?: number; readonly pid?: number },
  owner: number | undefined,
  run?: PeerRun,
): Principal {
  if (run === "unknown") return { ...peer, kind: "stranger" };
  if (run !== undefined)
    return { ...peer, kind: "run", run: run.name, ...(run.id === undefined ? {} : { run_id: run.id }) };
  const kind =
    peer.uid === undefined ? "stranger" : peer.uid === owner ? "owner" : peer.uid === 0 ? "root" : "stranger";
  return { ...peer, kind };
}
