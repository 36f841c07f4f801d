// The words that policy.yaml may hold and what each is for: one table for the parser's errors and
// for the JSON Schema, so that an editor and the daemon never disagree. Scope keywords come from
// the classifiers.

import { AGENT_LABEL } from "../../model/agent-label.ts";
import { PROTOCOLS, type Protocol } from "../../model/protocol.ts";
import type { ScopeKeyword } from "../../protocols/classifier.ts";
import { classifierFor } from "../../protocols/registry.ts";

/** Keys of every protocol block beside its scope lists, with a sentence for editors. */
export const BLOCK_KEYS = {
  inspect: "Hosts, *.suffixes, globs, addresses and CIDR blocks to intercept, each with an optional :port.",
  default: "The action when no rule matches; escalate when it is left out.",
  groups: "Named selectors: requests by tiers or by commands.",
  rules: "Consulted when no entry of a scope list matched the request.",
} as const;

/** Keys of a group. */
export const GROUP_KEYS = {
  tiers: "Requests of these tiers.",
  commands: "Requests with these commands, as `iddio classify` prints them; * is a wildcard.",
} as const;

/** Keys of an entry of a scope list. */
export const SCOPE_ENTRY_KEYS = {
  names: "Names or globs; the first entry of the list that matches is the one that counts.",
  rules:
    "The rules for requests with such a name; a request that they do not match gets the block's default.",
} as const;

/** Keys of one action under `rules:`. */
export const BRANCH_KEYS = {
  groups: "Names of groups of this block.",
  commands: "Commands, as in a group; stronger than a rule by tier.",
} as const;

/** The list of every protocol: names of runs of agents. */
const AGENTS: ScopeKeyword = { keyword: "agents", label: AGENT_LABEL };

/** The scope lists that a protocol's block may hold. */
export function scopeKeywords(protocol: Protocol): readonly ScopeKeyword[] {
  return [...classifierFor(protocol).scopes, AGENTS];
}

/** The protocols that have a scope list of this name, for a hint to somebody who used it elsewhere. */
export function protocolsWithScope(keyword: string): readonly Protocol[] {
  return PROTOCOLS.filter((protocol) => scopeKeywords(protocol).some((scope) => scope.keyword === keyword));
}
