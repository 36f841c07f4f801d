// The contract for the effect of a held request: show it to a person, and compare it again before
// the request goes. The effects feature makes it; the stages that hold and forward know only this.

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

/** Whether the shown effect is still the real one. */
export type EffectRelease =
  | {
      readonly kind: "go";
      /** JSON to send in place of the body: the one exception to forwarding octet for octet. */
      readonly replaced?: Uint8Array;
    }
  | { readonly kind: "changed"; readonly why: string };

/** The effect of one held request. */
export interface HeldEffect {
  /** Finds the effect and remembers it as the one that was shown. Never rejects. */
  show(): Promise<EffectReport>;
  /**
   * Asked once somebody has allowed it: whether `shown`, the effect that was on the screen, is still the real
   * one. Never rejects.
   */
  release(shown: HeldEffect): Promise<EffectRelease>;
  /** The same request was shown before, for a client that has left: the effect that was shown then counts. */
  inherit(shown: HeldEffect): void;
  /** Its client has left: the request and its credentials are dropped, the shown effect stays. */
  forget(): void;
}

/** Makes the effects of held requests. */
export interface EffectPreviews {
  /** Undefined for a request without an effect that iddio could look at. */
  of(held: HeldRequest): HeldEffect | undefined;
}
