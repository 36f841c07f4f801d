// Limits what an answer from elsewhere may allow: one request, the one that was shown, by its
// digest; never others like it, and nothing but approvals. A click in Slack can come from the
// agent's own machine, so it is worth L1 and lets no break-glass through; the secret of a webhook
// lies with the daemon, where an agent may read it, so a callback lets through nothing above
// modify. Where the guard reaches more than L1 by itself, these two would lower it and allow
// nothing.

import type { GuardReport } from "../../api/daemon-reports.ts";
import { PresenceNeeded, type PresenceRequest } from "../../api/gate.ts";
import type { Presence, RemoteKind } from "../../api/principal.ts";
import { LEVELS } from "../../model/level.ts";
import { TIERS, type Tier } from "../../model/tier.ts";
import type { AskedApproval } from "./question.ts";

/** The highest tier that each may let through; a request without a tier is above all of them. */
const HIGHEST: Readonly<Record<Exclude<RemoteKind, "control-plane">, Tier>> = {
  slack: "sensitive",
  webhook: "modify",
};

/** Values an answer from elsewhere. Throws PresenceNeeded unless it may allow its request. */
export function remotePresence(
  kind: RemoteKind,
  { method, input }: PresenceRequest,
  asked: AskedApproval | undefined,
  guard: GuardReport,
): Presence {
  const { digest, for_ms, rest_of_command } = input as Readonly<Record<string, unknown>>;
  const refuse = (why: string) =>
    new PresenceNeeded(`an answer by ${kind} may not do this: ${why}`, {
      hint: "answer on the machine itself: iddio approval list",
    });
  if (method !== "approvals_allow" || asked === undefined) throw refuse("it only answers waiting approvals");
  if (typeof digest !== "string" || digest !== asked.ask.digest) throw refuse("it names another request");
  if (for_ms !== undefined || rest_of_command !== undefined) throw refuse("it lets through one request only");
  if (guard.problem !== undefined) throw refuse(`decisions are refused: ${guard.problem}`);
  // A decision of the control plane was signed for exactly this request by a key that was pinned with presence.
  if (kind === "control-plane") return { factor: "central", level: "L4" };
  const { tier } = asked.ask.operation;
  if (tier === "unknown" || TIERS.indexOf(tier) > TIERS.indexOf(HIGHEST[kind]))
    throw refuse(`its tier is ${tier}`);
  if (LEVELS.indexOf(guard.level) > LEVELS.indexOf("L1"))
    throw refuse(`this machine decides at ${guard.level}, and such an answer is worth L1`);
  return { factor: kind, level: "L1" };
}
