// The scopes that two policies can tell apart, label by label: the cells that the lists' globs cut
// out, each alone, with others that the request does not name, and with every other.

import type { Glob } from "../../match/glob.ts";
import { globCells } from "../../match/glob-cells.ts";
import type { ProtocolBlock } from "../policy.ts";

/** Scopes that the compared policies cannot tell apart. */
export interface ScopeCell {
  readonly label: string;
  /** A name in the cell; undefined where the request has none. */
  readonly name: string | undefined;
  /** Whether the request also acts in scopes that it does not name: in some of them, or in every one. */
  readonly beyond: "nothing" | "unnamed" | "spanned";
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
    const named = cells.map(({ name, matched }) => {
      const texts = [...new Set(globs.flatMap(({ text }, index) => (matched[index] === true ? [text] : [])))];
      return { name, text: texts.length === 0 ? `any other ${label}` : `${label} ${texts.join(" and ")}` };
    });
    const where = [...named, { name: undefined, text: `no ${label} at all` }];
    result.push({
      label,
      cells: where.flatMap(({ name, text }): ScopeCell[] => [
        { label, name, beyond: "nothing", text },
        {
          label,
          name,
          beyond: "unnamed",
          text: beside(name, text, `a ${label} that the request does not name`),
        },
        { label, name, beyond: "spanned", text: beside(name, text, `every ${label} at once`) },
      ]),
    });
  }
  return result;
}

function beside(name: string | undefined, text: string, more: string): string {
  return name === undefined ? more : `${text} and ${more}`;
}
