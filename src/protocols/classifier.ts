// The contract between the registry and each protocol's classifier. Classifiers are pure functions
// of their input: no clock, no I/O, no throw on any input. When they cannot tell, they answer
// unknown; they never guess downwards.

import type { Classification } from "../model/classification.ts";
import type { Protocol } from "../model/protocol.ts";
import type { HttpRequest, RequestHead } from "../model/request.ts";
import type { KnownOperation } from "./known-operation.ts";
import type { LiveClient } from "./live-client.ts";
import type { RefusalRenderer } from "./refused.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** A policy keyword that lists names of one label, e.g. `namespaces:` for `namespace`. */
export interface ScopeKeyword {
  readonly keyword: string;
  readonly label: string;
  /**
   * The form of the label's values, for labels whose things people also know by other names; `what` describes
   * it in words.
   */
  readonly form?: { readonly pattern: RegExp; readonly what: string };
}

/** One protocol's classifier. */
export interface Classifier {
  readonly protocol: Protocol;
  /** The traffic of the protocol's block, in a sentence for the schema of policy.yaml. */
  readonly covers: string;
  /** Scope lists that policy.yaml may hold under this protocol. */
  readonly scopes: readonly ScopeKeyword[];
  /** Program names (basename of argv[0]) whose command lines this classifier reads. */
  readonly programs: readonly string[];
  /** Whether a host is known to speak the protocol, by its name alone (lower case, no port): for guesses, never for a verdict. */
  isOwnHost?(host: string): boolean;
  /** Programs that `iddio doctor --live` tries, each with one harmless request. */
  readonly liveClients?: readonly LiveClient[];
  /** Whether the answer depends on the body; false means that `classify` works from the head alone. */
  needsBody(head: RequestHead): boolean;
  /**
   * Whether the body may give this command another tier. Absent where all requests that need their body are so; a
   * protocol whose bodies merely name the operation says here which ones they judge. With the labels of a request it is
   * about the scopes that they name.
   */
  isJudgedByBody?(command: string, labels?: Readonly<Record<string, string>>): boolean;
  /** Never throws. With `body.kind === "unread"` where the body matters, the tier is "unknown". */
  classify(request: HttpRequest): Classification;
  /**
   * The operations that requests are called, by which a command of a policy is checked and the policy tools count; absent where
   * names are open, and then a misspelt command is not found. Costs up to 100 ms.
   */
  operations?(): readonly KnownOperation[];
  /** Further words for a policy's commands, for example those of its tool. */
  readonly vocabulary?: Vocabulary;
  /** Classifies a command line; argv[0] is the program. Never throws. */
  classifyArgv(argv: readonly string[]): Classification;
  /** Writes a refusal as the protocol's client prints it; absent where short JSON will do. */
  readonly refusal?: RefusalRenderer;
}
