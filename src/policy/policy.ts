// The compiled policy: the meaning of one policy.yaml, immutable, built once per load. Verdicts are
// made here in advance so that deciding a request allocates nothing. Owns the shape; reading is
// parse, asking is decide.

import type { Glob } from "../match/glob.ts";
import type { GlobIndex } from "../match/glob-index.ts";
import type { InspectEntry } from "../match/inspect-entry.ts";
import type { InspectIndex } from "../match/inspect-index.ts";
import type { Action } from "../model/action.ts";
import type { Protocol } from "../model/protocol.ts";
import type { Tier, TierOrUnknown } from "../model/tier.ts";
import type { Verdict } from "../model/verdict.ts";
import type { Rule } from "./decide/rule-table.ts";
import type { UnnamedScope } from "./decide/unnamed-scope.ts";

/** A whole policy.yaml. */
export interface Policy {
  /** In file order. */
  readonly blocks: ReadonlyMap<Protocol, ProtocolBlock>;
  /** Every inspect entry of every block, in file order. */
  readonly inspected: InspectIndex<ListedEntry>;
  /** The file as it was read. */
  readonly text: string;
  /** The policy of a control plane, which this one can only tighten. */
  readonly central?: CentralPolicy;
}

/** A policy that somebody else signed for this machine. */
export interface CentralPolicy {
  readonly policy: Policy;
  /** Asks of these tiers may only be allowed by a decision of the control plane. */
  readonly tiers: ReadonlySet<TierOrUnknown>;
  /** The control plane was not reached for longer than it allows: above observe nothing is allowed without a person. */
  readonly isStale: boolean;
}

/** An inspect entry with the place where it is listed. */
export interface ListedEntry {
  readonly protocol: Protocol;
  readonly entry: InspectEntry;
  /** `kubectl.inspect[0]`. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** One protocol's block of the policy. */
export interface ProtocolBlock {
  readonly protocol: Protocol;
  /** Line of the key. */
  readonly line: number;
  readonly inspect: readonly ListedEntry[];
  /** The verdict when no rule matches, from `default:`; escalate when that is not written. */
  readonly fallback: Verdict;
  /** In file order. */
  readonly scopes: readonly ScopeList[];
  /** The flat rules; undefined when there are none. */
  readonly rules: RuleTable | undefined;
  /** Of the block `mcp` only. */
  readonly mcp?: McpKeys;
}

/** The keys that only the block `mcp` has. */
export interface McpKeys {
  /** Servers whose `readOnlyHint` counts. */
  readonly trusted: readonly string[];
  /** Whether clients are not shown the tools that are denied. */
  readonly hidesDenied: boolean;
}

/** One scope list, `namespaces:` and the like. */
export interface ScopeList {
  readonly keyword: string;
  /** The label of a classification that the names are compared with. */
  readonly label: string;
  /** Finds the first entry whose names match; ask with the name in lower case. */
  readonly entries: GlobIndex<RuleTable>;
  /** For a request that does not name its scope. */
  readonly unnamed: UnnamedScope;
  /** Whether an entry matches every name, so that no named scope meets the flat rules. */
  readonly isExhaustive: boolean;
  /** The entries as they stand in the file, for anyone who explains or compares policies. */
  readonly written: readonly WrittenEntry[];
}

/** One entry of a scope list, as it stands in the file. */
export interface WrittenEntry {
  /** `kubectl.namespaces[0]`. */
  readonly path: string;
  readonly line: number;
  /** Names and globs as typed. */
  readonly names: readonly string[];
  readonly globs: readonly Glob[];
  readonly table: RuleTable;
}

/** One `rules:` block. Of every command and tier only the strictest verdict is ever looked at. */
export interface RuleTable {
  /** By command name or pattern, the strictest first; ask with the command in lower case. */
  readonly commands: GlobIndex<Verdict>;
  readonly hasCommands: boolean;
  readonly tiers: ReadonlyMap<Tier, Verdict>;
  /** In file order; empty for a table that is no `rules:` block of the file. */
  readonly rules: readonly Rule[];
}

/** The action taken when a block has no `default:`. */
export const DEFAULT_ACTION: Action = "escalate";
