// The names of a protocol's requests, as policies have them: the operations of a vendor's
// published API, and the names that no list has. Common to the catalogues of all protocols: the
// policy tools ask "what would change for each of these?", and a policy may name nothing else.

import type { Glob } from "../match/glob.ts";
import type { Tier, TierOrUnknown } from "../model/tier.ts";

/** One operation that requests of a protocol can carry. */
export interface KnownOperation {
  /** As `Classification.command` has it. */
  readonly command: string;
  /** Other spellings that rules match too. */
  readonly aliases: readonly string[];
  /** Unknown for names that only doubtful requests have. */
  readonly tier: TierOrUnknown;
  /** The stricter tiers that a body or a header can give it; absent where any is possible. */
  readonly raised?: readonly Tier[];
  /** The command of the operation that it is a kind of; told alone where that is not told beside it. */
  readonly kindOf?: string;
  /** How people are told of it where that is not `command`: the command line of a tool. */
  readonly shown?: string;
  /** By label, the ways in which its requests can be in scopes of that kind; absent where any may be. */
  readonly reach?: Readonly<Record<string, readonly ScopeReach[]>>;
}

/** How a request can be in a scope: it names it, it is in none, in some that it does not name, or in every one at once. */
export type ScopeReach = "named" | "none" | "unnamed" | "spanned";

/** How names look that have one free word without white space, a type that a cluster adds or the field of a query. */
export interface NameShape {
  /** A person's word for such operations, in the plural. */
  readonly noun: string;
  /** The names of one request: what stands before and behind the free word. */
  readonly spellings: readonly { readonly before: string; readonly after: string }[];
  /** Names that each of these requests has, too. */
  readonly fixed?: readonly string[];
}

/** Everything that requests of a protocol can be called. */
export interface KnownNames {
  readonly operations: readonly KnownOperation[];
  /** Names that are in no list; `any` where every name may be carried, and several by one request. */
  readonly open: readonly NameShape[] | "any";
  /** The mildest tier of a request with such a name; absent where nobody can tell. */
  mildestTier?(name: string): TierOrUnknown | undefined;
  /** The tools' own commands that one of these patterns is about; hooks judge their command lines. */
  commandLines?(globs: readonly Glob[]): readonly KnownOperation[];
}
