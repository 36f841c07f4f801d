// What a held request carries so that a person can see its effect, and what is asked of that before the request goes.
// The feature that knows how makes it; who holds and who forwards know only this.

import type { EffectReport } from "../../api/effect-report.ts";
import type { Asker } from "../../model/agent-label.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { HttpRequest } from "../../model/request.ts";
import type { SideAnswer, SideCall } from "../upstream/ask.ts";

/** A request through which iddio can ask the same upstream. */
export interface AskingRequest {
  ask(call: SideCall): Promise<SideAnswer>;
}

/** A request that a person decides about. */
export interface HeldRequest {
  readonly request: AskingRequest;
  /** As it was judged, with the whole decoded body where it could be had. */
  readonly judged: HttpRequest;
  /** The target as the client sent it, which may begin with a path of the server before the cluster's own. */
  readonly sentTarget: string;
  readonly protocols: readonly Protocol[];
  readonly asker: Asker;
}

/** Whether what was shown is still what would happen. */
export type Release =
  | {
      readonly kind: "go";
      /** JSON to send in place of the body: the one exception to forwarding octet for octet. */
      readonly replaced?: Uint8Array;
    }
  | { readonly kind: "changed"; readonly why: string };

/** The effect of one held request. */
export interface HeldEffect {
  /** What would happen; from now on it is what was shown. Never rejects. */
  show(): Promise<EffectReport>;
  /**
   * Asked once somebody has allowed it: whether `shown`, the effect that was on the screen, is still what would happen.
   * Never rejects.
   */
  release(shown: HeldEffect): Promise<Release>;
  /** The same request was shown before, for a client that has left: what was shown then counts. */
  inherit(shown: HeldEffect): void;
  /** Its client has left: the request and its credentials are dropped, what was shown stays. */
  forget(): void;
}

/** Makes the effects of held requests. */
export interface EffectPreviews {
  /** Undefined for what has no effect that iddio could look at. */
  of(held: HeldRequest): HeldEffect | undefined;
}
