// The policy that the control plane signed for this machine: taken only when it is whole, signed by
// a pinned key, in time and not older than the one before; kept as the last good one; put beside
// policy.yaml, which can only tighten it. A bundle that is refused changes nothing. In force it
// also holds the mode, so that nothing here turns it off.

import type { PolicyPosition, SignedText } from "../../api/fleet/protocol.ts";
import { openBundle, openSigned, type Payload } from "../../api/fleet/signed.ts";
import type { ModeHolder } from "../../gateway/request/mode.ts";
import { isTier, type TierOrUnknown } from "../../model/tier.ts";
import { parsePolicy } from "../../policy/parse/parse.ts";
import type { CentralPolicy, Policy } from "../../policy/policy.ts";
import type { PolicyStore } from "../../state/policy-store.ts";
import type { FleetStore } from "../../state/tables/fleet-store.ts";
import type { Enrolment } from "./enrolment.ts";

type Kind = Payload<"bundle">["kind"];

/** A bundle that is in force. */
interface InForce {
  readonly bundle: Payload<"bundle">;
  readonly policy: Policy;
}

/** The central policy of one machine. */
export class CentralPolicyHolder {
  readonly #store: FleetStore;
  readonly #policy: PolicyStore;
  readonly #mode: ModeHolder;
  #inForce: InForce | undefined;
  #isStale = false;

  constructor(store: FleetStore, policy: PolicyStore, mode: ModeHolder) {
    this.#store = store;
    this.#policy = policy;
    this.#mode = mode;
  }

  /** Puts the last good policy in force again; it is checked as if it had just come, but for its time and position. */
  restore({ tenant, keys }: Enrolment): string | undefined {
    const tried = this.#store.get<SignedText>(`bundle:dry:${tenant}`);
    if (tried !== undefined) {
      const opened = openSigned("bundle", tried, { tenant, keys });
      if (opened.kind === "good") this.#try(opened.value);
    }
    const signed = this.#store.get<SignedText>(`bundle:enforced:${tenant}`);
    if (signed === undefined) return undefined;
    const opened = openSigned("bundle", signed, { tenant, keys });
    if (opened.kind === "refused") return `the policy that was kept is not believed: ${opened.reason}`;
    return this.#enforce(opened.value);
  }

  /** Where this machine is; the highest position that it ever had in this tenant. */
  position(tenant: string, kind: Kind): PolicyPosition | undefined {
    return this.#store.get<PolicyPosition>(`position:${kind}:${tenant}`);
  }

  /** Takes a bundle, or says why not. Written before it is in force. */
  take(signed: SignedText, { tenant, keys }: Enrolment, wanted: Kind, nowMs: number): string | undefined {
    const have = this.position(tenant, wanted);
    const opened = openBundle(signed, { tenant, keys, wanted, have, nowMs });
    if (opened.kind === "refused") return opened.reason;
    const { epoch, revision, digest, policy } = opened.value;
    const problem = problemOf(policy);
    if (problem !== undefined) return problem;
    this.#store.put(`bundle:${wanted}:${tenant}`, signed);
    this.#store.put(`position:${wanted}:${tenant}`, { epoch, revision, digest } satisfies PolicyPosition);
    if (wanted === "enforced") return this.#enforce(opened.value);
    this.#try(opened.value);
    return undefined;
  }

  /** Ends the trial of a policy. Its position stays, so that an earlier one does not come back. */
  endTrial(tenant: string): void {
    this.#store.remove(`bundle:dry:${tenant}`);
    this.#policy.setDry(undefined);
  }

  /** Whether a policy is only tried now. */
  isTrying(tenant: string): boolean {
    return this.#store.get<SignedText>(`bundle:dry:${tenant}`) !== undefined;
  }

  #try(bundle: Payload<"bundle">): void {
    const parsed = parsePolicy(bundle.policy);
    if (!("policy" in parsed)) return;
    const central = { policy: parsed.policy, tiers: tiersOf(bundle), isStale: false };
    this.#policy.setDry({ revision: bundle.revision, central });
  }

  /** Whether the server was reached lately enough for what its policy allows. */
  age(lastSyncMs: number, nowMs: number): void {
    const { max_age_ms = 0 } = this.#inForce?.bundle ?? {};
    const isStale = max_age_ms > 0 && nowMs - lastSyncMs > max_age_ms;
    if (isStale === this.#isStale) return;
    this.#isStale = isStale;
    this.#apply();
  }

  /** Takes it out of force. Positions stay: a machine that comes back goes on from where it was. */
  drop(): void {
    this.#inForce = undefined;
    this.#isStale = false;
    this.#policy.setDry(undefined);
    this.#apply();
  }

  /** The central policy in force. */
  get state(): { readonly tiers: readonly string[]; readonly isStale: boolean } | undefined {
    const central = this.#inForce && this.#central(this.#inForce);
    return central && { tiers: [...central.tiers], isStale: this.#isStale };
  }

  #enforce(bundle: Payload<"bundle">): string | undefined {
    const parsed = parsePolicy(bundle.policy);
    if (!("policy" in parsed)) return problemOf(bundle.policy);
    this.#inForce = { bundle, policy: parsed.policy };
    this.#apply();
    return undefined;
  }

  #apply(): void {
    this.#mode.hold(this.#inForce === undefined ? undefined : "enforce");
    this.#policy.setCentral(this.#inForce && this.#central(this.#inForce));
  }

  #central({ bundle, policy }: InForce): CentralPolicy {
    return { policy, tiers: tiersOf(bundle), isStale: this.#isStale };
  }
}

function tiersOf({ central_tiers }: Payload<"bundle">): ReadonlySet<TierOrUnknown> {
  return new Set(central_tiers.map((tier): TierOrUnknown => (isTier(tier) ? tier : "unknown")));
}

/** Why a text is no policy for this version of iddio; undefined when it is one. */
function problemOf(text: string): string | undefined {
  const parsed = parsePolicy(text);
  if ("policy" in parsed) return undefined;
  const [first] = parsed.problems.filter(({ severity }) => severity === "error");
  return `its policy does not load: ${first === undefined ? "" : `line ${first.line}: ${first.message}`}`;
}
