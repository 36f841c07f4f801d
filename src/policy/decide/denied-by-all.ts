// Whether every entry of one scope list denies a request, so that it is denied in whichever of the
// scopes it acts. The entries' verdicts by tier are worked out ahead; only those that a rule about
// the command can still turn are asked.

import type { Classification } from "../../model/classification.ts";
import { TIERS, type TierOrUnknown } from "../../model/tier.ts";
import type { Verdict } from "../../model/verdict.ts";
import type { RuleTable } from "../policy.ts";
import { findCommandRule } from "./rule-table.ts";

/** An entry that denies by a rule about the command, or where there is none for it and the default denies. */
interface Open {
  readonly table: RuleTable;
  readonly deniesOthers: boolean;
}

/** All entries of a scope list that no other scope than theirs can be outside of. */
export class DeniedByAll {
  /** The entries to ask; no key where one that cannot be turned does not deny. */
  readonly #open = new Map<TierOrUnknown, readonly Open[]>();

  /** `tables` are those of the entries that can be reached; `fallback` is the block's default. */
  constructor(tables: readonly RuleTable[], fallback: Verdict) {
    for (const tier of [...TIERS, "unknown" as const]) {
      const open: Open[] = [];
      for (const table of tables) {
        const byTier = tier === "unknown" ? undefined : table.tiers.get(tier);
        if (byTier?.action !== "deny")
          open.push({ table, deniesOthers: (byTier ?? fallback).action === "deny" });
      }
      if (open.every(({ table, deniesOthers }) => table.hasCommands || deniesOthers))
        this.#open.set(tier, open);
    }
  }

  /** Whether each of them denies this request. */
  denies(classification: Classification): boolean {
    const open = this.#open.get(classification.tier);
    if (open === undefined) return false;
    return open.every(({ table, deniesOthers }) => {
      const byCommand = findCommandRule(table, classification);
      return byCommand === undefined ? deniesOthers : byCommand.action === "deny";
    });
  }
}
