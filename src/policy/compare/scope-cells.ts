// The scopes that two policies can tell apart, label by label: the cells that the lists' globs cut
// out, each alone, with others that the request does not name, and with every other.

import type { Glob } from "../../match/glob.ts";
import { globCells } from "../../match/glob-cells.ts";
import { AGENT_LABEL } from "../../model/agent-label.ts";
import type { ScopeReach } from "../../protocols/known-operation.ts";
import { withArticle } from "../../text/article.ts";
import type { ProtocolBlock } from "../policy.ts";

/** Scopes that the compared policies cannot tell apart. */
export interface ScopeCell {
  readonly label: string;
  /** A name in the cell; undefined where the request has none. */
  readonly name: string | undefined;
  /** Whether the request also acts in scopes that it does not name: in some of them, or in every one. */
  readonly beyond: "nothing" | "unnamed" | "spanned";
  /** Both in one word; undefined for a request that names one and acts in others, too. */
  readonly reach: ScopeReach | undefined;
  /** Names and globs of the lists that match, as typed. */
  readonly matched: readonly string[];
  /** A clause that says which scopes they are. */
  readonly text: string;
}

/** Cells for each label that one of the blocks has a list for; undefined when there are too many. */
export function scopeCells(
  blocks: readonly ProtocolBlock[],
  others: readonly { readonly label: string; readonly text: string; readonly globs: readonly Glob[] }[] = [],
): readonly { readonly label: string; readonly cells: readonly ScopeCell[] }[] | undefined {
  const globsByLabel = new Map<string, Map<string, { readonly glob: Glob; readonly text: string }>>();
  for (const { label, written } of blocks.flatMap(({ scopes }) => scopes)) {
    const globs = globsByLabel.get(label) ?? new Map();
    globsByLabel.set(label, globs);
    // An entry's names and its globs go apart where a name has braces; then the glob is shown by its literal text.
    for (const entry of written)
      for (const [index, glob] of entry.globs.entries())
        globs.set(`${entry.names.join()} ${index}`, {
          glob,
          text:
            entry.names.length === entry.globs.length
              ? (entry.names[index] ?? glob.fixed)
              : entry.names.join(", "),
        });
  }
  for (const { label, text, globs } of others) {
    const found = globsByLabel.get(label) ?? new Map();
    globsByLabel.set(label, found);
    for (const [index, glob] of globs.entries()) found.set(`${text} ${index}`, { glob, text });
  }
  const result: { label: string; cells: readonly ScopeCell[] }[] = [];
  for (const [label, byName] of globsByLabel) {
    const globs = [...byName.values()];
    const cells = globCells(globs.map(({ glob }) => glob));
    if (cells === undefined) return undefined;
    const named = cells.map(({ name, matched }) => ({
      name,
      matched: [...new Set(globs.flatMap(({ text }, index) => (matched[index] === true ? [text] : [])))],
    }));
    // Every request has the name of its run, or `-` outside of one.
    const isAgent = label === AGENT_LABEL;
    const where = isAgent ? named : [...named, { name: undefined, matched: [] }];
    result.push({
      label,
      cells: where.flatMap(({ name, matched }): ScopeCell[] =>
        (isAgent ? REACHES.slice(0, 1) : REACHES).map(({ beyond, more, alone }) => ({
          label,
          name,
          beyond,
          reach: name === undefined ? alone : beyond === "nothing" ? "named" : undefined,
          matched,
          text: textOf(label, name, matched, more),
        })),
      ),
    });
  }
  return result;
}

const REACHES = [
  { beyond: "nothing", more: undefined, alone: "none" },
  {
    beyond: "unnamed",
    more: (label: string) => `${withArticle(label)} that the request does not name`,
    alone: "unnamed",
  },
  { beyond: "spanned", more: (label: string) => `every ${label} at once`, alone: "spanned" },
] as const;

function textOf(
  label: string,
  name: string | undefined,
  matched: readonly string[],
  more: ((label: string) => string) | undefined,
): string {
  if (name === undefined) return more === undefined ? `no ${label} at all` : more(label);
  const named = matched.length === 0 ? `any other ${label}` : `${label} ${matched.join(" and ")}`;
  return more === undefined ? named : `${named} and ${more(label)}`;
}
