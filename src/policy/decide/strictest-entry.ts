// The verdict of the strictest entry of one scope list on a request that does not name its scope.
// Compiled ahead, so that a list of a thousand entries does not cost a thousand look-ups. The
// answer is never laxer than any entry's would be if the request named its scope: a deny first,
// then commands over tiers, entry by entry.

import { ACTIONS, stricterAction } from "../../model/action.ts";
import type { Classification } from "../../model/classification.ts";
import { isTier, TIERS, type Tier } from "../../model/tier.ts";
import type { Verdict } from "../../model/verdict.ts";
import type { RuleTable } from "../policy.ts";
import { compileRules, findCommandRule, type Rule } from "./rule-table.ts";

/** The rules of one entry, as written and compiled. */
export interface ListEntry {
  readonly rules: readonly Rule[];
  readonly table: RuleTable;
}

/** An entry whose answer by tier, or by the default, only a rule about the command can lower. */
interface Overridable {
  readonly table: RuleTable;
  readonly verdict: Verdict;
}

/** All entries of a scope list at once. */
export class StrictestEntry {
  /** Whatever any entry denies or escalates. */
  readonly #strict: RuleTable;
  /** Strictest first; among equals those that nothing overrides. */
  readonly #overridable: ReadonlyMap<Tier, readonly Overridable[]>;

  /** `entries` are those that can be reached; `fallback` is the block's default. */
  constructor(entries: readonly ListEntry[], fallback: Verdict) {
    this.#strict = compileRules(
      entries.flatMap(({ rules }) => rules).filter(({ action }) => action !== "allow"),
    );
    const tables = entries.map(({ table }) => table);
    this.#overridable = new Map(TIERS.map((tier) => [tier, overridableAt(tier, tables, fallback)]));
  }

  /**
   * The strictest verdict of any entry; undefined when all of them allow. Of an unknown request only a deny of its
   * command says more than the block does.
   */
  verdict(classification: Classification): Verdict | undefined {
    const byCommand = findCommandRule(this.#strict, classification);
    if (byCommand?.action === "deny") return byCommand;
    const { tier } = classification;
    if (!isTier(tier)) return undefined;
    const byTier = this.#strict.tiers.get(tier);
    if (byTier?.action === "deny") return byTier;
    for (const { table, verdict } of this.#overridable.get(tier) ?? []) {
      if (byCommand !== undefined && stricterAction(byCommand.action, verdict.action) === byCommand.action)
        break;
      if (findCommandRule(table, classification) === undefined) return verdict;
    }
    return byCommand;
  }
}

function overridableAt(tier: Tier, tables: readonly RuleTable[], fallback: Verdict): readonly Overridable[] {
  const rank = ({ table, verdict }: Overridable): number =>
    2 * ACTIONS.indexOf(verdict.action) + (table.hasCommands ? 0 : 1);
  return tables
    .map((table): Overridable => ({ table, verdict: table.tiers.get(tier) ?? fallback }))
    .filter(({ table, verdict }) => verdict.action !== "allow" && table.tiers.get(tier)?.action !== "deny")
    .sort((a, b) => rank(b) - rank(a));
}
