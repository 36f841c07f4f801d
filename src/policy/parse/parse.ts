// Text in, compiled policy or every problem out. A policy with one error does not load at all: half
// a policy would protect less than the last good one. Never throws, whatever the text.

import { InspectIndex } from "../../match/inspect-index.ts";
import { PROTOCOLS, type Protocol } from "../../model/protocol.ts";
import type { ListedEntry, Policy, ProtocolBlock } from "../policy.ts";
import { parseBlock } from "./block.ts";
import { type PolicyProblem, Problems } from "./problems.ts";
import { readYaml } from "./read-yaml.ts";
import { MAX_SELECTORS } from "./rules.ts";
import { asMap, readFields } from "./shape.ts";
import type { MapTree, Tree } from "./yaml-tree.ts";

export type { PolicyProblem } from "./problems.ts";

/** A policy with its warnings, or what keeps it from loading (warnings included, in file order). */
export type ParsedPolicy =
  | { readonly policy: Policy; readonly warnings: readonly PolicyProblem[] }
  | { readonly problems: readonly PolicyProblem[] };

const START = { line: 1, column: 1 };

/** The last two texts and what they gave: doctor, an edit and the daemon's start ask about the same one again. */
let kept: readonly (readonly [text: string, parsed: ParsedPolicy])[] = [];

/** Reads and compiles a policy.yaml of at most 1 MiB. */
export function parsePolicy(text: string): ParsedPolicy {
  const known = kept.find(([other]) => other === text);
  if (known !== undefined) return known[1];
  const parsed = parseAnew(text);
  kept = [[text, parsed], ...kept.slice(0, 1)];
  return parsed;
}

function parseAnew(text: string): ParsedPolicy {
  const problems = new Problems();
  const tree = readYaml(text, problems);
  return tree === undefined ? { problems: problems.sorted() } : compilePolicy(tree, text, problems);
}

/** Compiles the tree that a text was read into, with the problems that were found on the way. */
export function compilePolicy(tree: Tree, text: string, problems: Problems): ParsedPolicy {
  const map = tree.kind === "empty" ? undefined : asMap(tree, "", "a policy", problems);
  const blocks = map === undefined ? new Map<Protocol, ProtocolBlock>() : parseBlocks(map, problems);
  // An editor leaves an empty file for a moment while it saves; it must not switch everything off.
  if (blocks.size === 0 && !problems.hasErrors)
    problems.error(START, "", "the policy has no protocol block", `allowed: ${PROTOCOLS.join(", ")}`);
  const entries = [...blocks.values()].flatMap((block) => block.inspect);
  warnOfRepeats(entries, problems);
  if (problems.hasErrors) return { problems: problems.sorted() };
  const inspected = new InspectIndex(entries.map((value) => ({ entry: value.entry, value })));
  return { policy: { blocks, inspected, text }, warnings: problems.sorted() };
}

function parseBlocks(map: MapTree, problems: Problems): Map<Protocol, ProtocolBlock> {
  const blocks = new Map<Protocol, ProtocolBlock>();
  const budget = { left: MAX_SELECTORS };
  for (const [key, field] of readFields(map, "", PROTOCOLS, problems)) {
    const protocol = key as Protocol;
    const block = parseBlock(protocol, field, problems, budget);
    if (block !== undefined) blocks.set(protocol, block);
  }
  return blocks;
}

function warnOfRepeats(entries: readonly ListedEntry[], problems: Problems): void {
  const seen = new Map<string, ListedEntry>();
  for (const listed of entries) {
    const key = `${listed.entry.user ?? ""}@${listed.entry.host} ${listed.entry.port ?? "*"}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, listed);
    else {
      const where = `already listed under ${first.protocol} in line ${first.line}`;
      const hint =
        first.protocol === listed.protocol ? undefined : `${first.protocol} wins, as it comes first`;
      problems.warn(listed, listed.path, `'${listed.entry.text}' is ${where}`, hint);
    }
  }
}
