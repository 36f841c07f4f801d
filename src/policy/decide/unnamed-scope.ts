// The verdict of one scope list on a request that does not name its scope. A request that acts in
// every scope acts in the strictest one. A request that acts in an unknown one is denied only if
// every entry denies it, and is otherwise asked about. Neither is treated better than without the
// list.

import type { Classification } from "../../model/classification.ts";
import type { Verdict } from "../../model/verdict.ts";
import { DeniedByAll } from "./denied-by-all.ts";
import { stricterVerdict } from "./rule-table.ts";
import { type ListEntry, StrictestEntry } from "./strictest-entry.ts";

/** A scope list as it is compiled for requests that do not name their scope. */
export interface UnnamedList {
  readonly keyword: string;
  readonly label: string;
  /** Those that can be reached. */
  readonly entries: readonly ListEntry[];
  /** Whether one of them matches every name, so that there is no scope without an entry. */
  readonly isExhaustive: boolean;
}

/** The answers of one scope list; `without` is always the verdict that the request gets without it. */
export class UnnamedScope {
  readonly #keyword: string;
  readonly #label: string;
  readonly #fallback: Verdict;
  readonly #strictest: StrictestEntry;
  readonly #all: DeniedByAll | undefined;

  /** `fallback` is the block's default. */
  constructor({ keyword, label, entries, isExhaustive }: UnnamedList, fallback: Verdict) {
    this.#keyword = keyword;
    this.#label = label;
    this.#fallback = fallback;
    this.#strictest = new StrictestEntry(entries, fallback);
    const tables = entries.map(({ table }) => table);
    this.#all = isExhaustive ? new DeniedByAll(tables, fallback) : undefined;
  }

  /** For a request that acts in every scope of the list: the strictest entry counts. */
  inEvery(classification: Classification, without: Verdict): Verdict {
    const found = this.#strictest.verdict(classification);
    if (found === undefined || stricterVerdict(without, found) === without) return without;
    const why = `the request acts in every ${this.#label}, so the strictest entry of ${this.#keyword} counts`;
    return { ...found, reason: `${found.reason}; ${why}` };
  }

  /** For a request that acts in one or some scopes of the list: whatever an entry does not allow is asked about. */
  inSome(classification: Classification, without: Verdict): Verdict {
    if (without.action === "deny") return without;
    const found = this.#strictest.verdict(classification);
    if (found === undefined) return without;
    if (found.action !== "deny") return without.action === "allow" ? this.#asked(found) : without;
    if (this.#all?.denies(classification) !== true) return this.#asked(found);
    const why = `the request does not name its ${this.#label}, and every entry of ${this.#keyword} denies it`;
    return { ...found, reason: `${found.reason}; ${why}` };
  }

  #asked(found: Verdict): Verdict {
    const what =
      found === this.#fallback
        ? `in an entry of ${this.#keyword} ${found.reason};`
        : `${found.reason} by an entry of ${this.#keyword}, and`;
    const reason = `${what} the request does not name its ${this.#label}, so a person decides`;
    return { ...found, action: "escalate", reason, isInDoubt: true };
  }
}
