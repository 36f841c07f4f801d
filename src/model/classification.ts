// A classifier's findings about one request or command line. They are facts about the request; the
// policy decides what to do about them.

import type { Protocol } from "./protocol.ts";
import type { TierOrUnknown } from "./tier.ts";

/** The answer of a classifier. */
export interface Classification {
  readonly protocol: Protocol;
  /** "unknown" when the classifier cannot tell; `reason` then says why. */
  readonly tier: TierOrUnknown;
  /** Canonical command label, as rules under `commands:` name it; "" when it is not known. */
  readonly command: string;
  /** Other spellings of the command that rules match too, e.g. `ec2:TerminateInstances`. */
  readonly aliases: readonly string[];
  /** Scope labels found in the request, e.g. `{ namespace: "payments" }`; absent, never empty. */
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Labels of scopes of which the request acts in one or some that `labels` does not name (an opaque id, a
   * number, several at once): any entry of such a list may be about it, so when only some of them deny, a
   * person decides. Absent where there is none, never empty.
   */
  readonly unnamedScopes?: readonly string[];
  /**
   * Labels of scopes of which the request says that it acts in every one (`/api/v1/pods`, `locations/-`): each entry
   * of such a list is about it, so the strictest counts. Absent where there is none, never empty.
   */
  readonly spannedScopes?: readonly string[];
  /** One lower-case clause for people: the rule or datum that decided. */
  readonly reason: string;
  /**
   * A clause for the refused client when one circumstance raised every reading of the request: "the field
   * Impersonate-User acts as 'jane'".
   */
  readonly circumstance?: string;
  /**
   * The one way in which its client goes on after this request, where the request tells: a clause, and the names
   * of the steps. Such a step may be allowed together with it, whatever its tier.
   */
  readonly next?: { readonly about: string; readonly steps: readonly string[] };
  /** Names this request as a step that another one tells of; everything that it does is in the name. */
  readonly step?: string;
  /**
   * Of a request that carries several operations (batch, GraphQL): one classification each. The
   * outer tier is the strictest of them; policy decides each part and the strictest verdict wins.
   */
  readonly parts?: readonly Classification[];
}
