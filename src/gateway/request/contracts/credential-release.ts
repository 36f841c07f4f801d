// Credentials that iddio holds for a client which itself has only placeholders. The feature that
// keeps them decides for each request; who forwards knows only this. Nothing is lent to another
// user, over an upstream that was not verified, or to a request that iddio does not understand.

import type { Classification } from "../../../model/classification.ts";
import type { ClientIdentity } from "../../../model/entry.ts";
import type { RequestHead } from "../../../model/request.ts";
import type { Alteration } from "../../message/alteration.ts";

/** The facts about a connection that decide whether a credential is lent to it. */
export interface Lender {
  /** The daemon's own user opened it, or a run of that user. */
  readonly isOwnUser: boolean;
  /** Its upstream proves its name by TLS. */
  readonly isVerified: boolean;
}

/** A request that may hold placeholders. */
export interface LendingRequest {
  readonly head: RequestHead;
  readonly client: ClientIdentity | undefined;
  readonly lender: Lender;
  /** Names the client certificate that iddio adds to the connection; "" when it adds none. */
  readonly identity: string;
  readonly operation: Classification;
  /** The whole body as it was sent; undefined when it is larger, or there is no room for it. */
  body(limit: number): Promise<Uint8Array | undefined>;
}

/**
 * The changes that put real credentials in place of placeholders, or the reason why the request cannot go, as
 * a clause.
 */
export type Released = Alteration | { readonly refused: string };

/** Decides which credentials go with a request. */
export interface CredentialRelease {
  /** False while there is none: nothing is looked for then. */
  readonly isNeeded: boolean;
  /** Undefined when it holds no placeholder. Never rejects. */
  of(request: LendingRequest): Promise<Released | undefined>;
}
