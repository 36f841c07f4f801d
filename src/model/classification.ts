// What a classifier found out about one request or command line. It states facts
// about the request; what to do about them is the policy's.

import type { Protocol } from "./protocol.ts";
import type { TierOrUnknown } from "./tier.ts";

/** The answer of a classifier. */
export interface Classification {
  readonly protocol: Protocol;
  /** "unknown" when the classifier cannot tell; `reason` then says why. */
  readonly tier: TierOrUnknown;
  /** Canonical command label, as rules under `commands:` name it; "" when none could be told. */
  readonly command: string;
  /** Other spellings of the command that rules match too, e.g. `ec2:TerminateInstances`. */
  readonly aliases: readonly string[];
  /** Scope labels found in the request, e.g. `{ namespace: "payments" }`; absent, never empty. */
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Labels of scopes that the request acts in beyond those that `labels` names: it gives an opaque id, names
   * several, or reaches into all of them. Policy lets the strictest entry of each such list count; absent when
   * everything is named, or when the request is in no such scope at all.
   */
  readonly unnamedScopes?: readonly string[];
  /** One lower-case clause for people: the rule or datum that decided. */
  readonly reason: string;
  /**
   * Of a request that carries several operations (batch, GraphQL): one classification each. The
   * outer tier is the strictest of them; policy decides each part and the strictest verdict wins.
   */
  readonly parts?: readonly Classification[];
}
