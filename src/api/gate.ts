// The contract between the API and the guard: the state before a change, and whether a person is
// present. A refusal may carry a question, which a client can answer by sending the call again with
// a proof.

import { UserError } from "../model/user-error.ts";
import type { Effect, Standing } from "./method.ts";
import type { Presence, Principal } from "./principal.ts";

/** A call that needs a person. */
export interface PresenceRequest {
  readonly method: string;
  readonly effect: Effect;
  readonly caller: Principal;
  readonly input: object;
  /** Whether root may do this in place of a factor. */
  readonly isForRoot: boolean;
  /** The client's proof: `totp 123456`, `passkey <ceremony>`, `recovery <code>` or `root <nonce>`. */
  readonly proof: string | undefined;
}

/** The presence check of one daemon. */
export interface Gate {
  standing(): Standing;
  /** Throws a UserError, mostly a `PresenceNeeded`, unless a person is present. */
  presence(request: PresenceRequest): Promise<Presence>;
}

/** How a client can show presence. */
export type PresenceQuestion =
  | { readonly ask: "totp" }
  /** The page at `url` asks for the touch; the proof is `passkey <ceremony>`. */
  | { readonly ask: "passkey"; readonly ceremony: string; readonly url: string }
  /** Only root can make `path`; the proof is `root <nonce>`. */
  | { readonly ask: "root"; readonly nonce: string; readonly path: string };

/** A person must show presence first. */
export class PresenceNeeded extends UserError {
  override readonly name = "PresenceNeeded";
  readonly question: PresenceQuestion | undefined;

  constructor(message: string, options: { readonly hint: string; readonly question?: PresenceQuestion }) {
    super(message, { hint: options.hint, code: "needs-presence" });
    this.question = options.question;
  }
}
