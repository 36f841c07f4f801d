// Edits of policy.yaml by command: text in, text out, comments and layout kept. Never returns a
// text that does not load or that changes anything but the one entry: the result is parsed and
// compared before it is handed out.

import { entryCovers, isSameEntry } from "../../match/entry-covers.ts";
import type { InspectEntry } from "../../match/inspect-entry.ts";
import type { Protocol } from "../../model/protocol.ts";
import { nearestWord } from "../did-you-mean.ts";
import { type ParsedPolicy, parsePolicy } from "../parse/parse.ts";
import { type PolicyProblem, Problems } from "../parse/problems.ts";
import { parseProtocolEntry } from "../parse/protocol-entry.ts";
import { readYaml } from "../parse/read-yaml.ts";
import { treeText } from "../parse/yaml-tree.ts";
import type { ListedEntry, Policy } from "../policy.ts";
import { appendBlock, uncommentBlock } from "./default-block.ts";
import { disableEntry, insertEntry, removeEntry } from "./inspect-layout.ts";

/** The result of an edit; `message` is one clause for the person who asked. */
export type PolicyEdit =
  | { readonly kind: "changed"; readonly text: string; readonly message: string }
  | { readonly kind: "unchanged"; readonly message: string }
  | {
      readonly kind: "refused";
      readonly message: string;
      readonly hint?: string;
      /** Why the policy does not load, before or after the edit. */
      readonly problems?: readonly PolicyProblem[];
    };

/**
 * Adds an entry at the end of a protocol's inspect list. A missing block is uncommented or appended with its
 * default groups. Unchanged when the entry would decide for no destination that is not decided so already.
 */
export function addInspectEntry(text: string, protocol: Protocol, written: string): PolicyEdit {
  const before = parsePolicy(text);
  if ("problems" in before) return unreadable(before.problems);
  const parsed = parseProtocolEntry(protocol, written);
  if ("problem" in parsed)
    return { kind: "refused", message: `'${written}' cannot be inspected: ${parsed.problem}` };
  const { entry } = parsed;
  if (entry.isCatchAll && protocol !== "generic") return refuseCatchAll(protocol, written);
  const redundant = redundancy(before.policy, protocol, entry);
  if (redundant !== undefined) return { kind: "unchanged", message: redundant };
  const message = `${protocol} now inspects '${written}'`;
  if (before.policy.blocks.has(protocol)) {
    const edited = insertEntry(text, protocol, written);
    const wanted = [...listed(before.policy, protocol), entry];
    return edited !== undefined && isAsWanted(before, edited, protocol, wanted)
      ? { kind: "changed", text: edited, message }
      : byHand(protocol);
  }
  const created = createBlock(before, protocol, entry);
  const what = `${message}; the block '${protocol}' was added with its default groups`;
  return created === undefined ? byHand(protocol) : { kind: "changed", text: created, message: what };
}

/** Removes an entry, in any spelling that means the same, from a protocol's inspect list. */
export function removeInspectEntry(text: string, protocol: Protocol, written: string): PolicyEdit {
  const before = parsePolicy(text);
  if ("problems" in before) return unreadable(before.problems);
  const parsed = parseProtocolEntry(protocol, written);
  const entries = listed(before.policy, protocol);
  if ("problem" in parsed || !entries.some((one) => isSameEntry(one, parsed.entry)))
    return { kind: "unchanged", message: notListed(protocol, written, entries) };
  const isUnwanted = (one: InspectEntry): boolean => isSameEntry(one, parsed.entry);
  const wanted = entries.filter((one) => !isUnwanted(one));
  const edited = drop(text, protocol, entries, isUnwanted, removeEntry);
  if (edited === undefined || !isAsWanted(before, edited, protocol, wanted)) return byHand(protocol);
  return { kind: "changed", text: edited, message: `${protocol} no longer inspects '${written}'` };
}

function createBlock(before: ParsedPolicy, protocol: Protocol, entry: InspectEntry): string | undefined {
  if ("problems" in before) return undefined;
  const { text } = before.policy;
  for (const withBlock of [uncommentBlock(text, protocol), appendBlock(text, protocol)]) {
    const edited = withBlock === undefined ? undefined : withOnly(withBlock, protocol, entry);
    if (edited !== undefined && isAsWanted(before, edited, protocol, [entry])) return edited;
  }
  return undefined;
}

// A new block comes with its usual hosts. Only the one that was asked for may take effect; the others stay as
// comments, to be seen.
function withOnly(text: string, protocol: Protocol, entry: InspectEntry): string | undefined {
  const parsed = parsePolicy(text);
  if ("problems" in parsed) return undefined;
  const entries = listed(parsed.policy, protocol);
  const isListed = entries.some((one) => isSameEntry(one, entry));
  const added = isListed ? text : insertEntry(text, protocol, entry.text);
  return drop(added, protocol, entries, (one) => !isSameEntry(one, entry), disableEntry);
}

function drop(
  text: string | undefined,
  protocol: Protocol,
  entries: readonly InspectEntry[],
  isUnwanted: (entry: InspectEntry) => boolean,
  dropOne: (text: string, protocol: Protocol, index: number) => string | undefined,
): string | undefined {
  let edited = text;
  // From the end, so that the remaining indexes stay true.
  for (const [index, entry] of [...entries.entries()].reverse())
    if (edited !== undefined && isUnwanted(entry)) edited = dropOne(edited, protocol, index);
  return edited;
}

// The proof that an edit did its task and nothing else: one list as wanted, the rest of the tree the same.
function isAsWanted(
  before: ParsedPolicy,
  text: string,
  protocol: Protocol,
  wanted: readonly InspectEntry[],
): boolean {
  const after = parsePolicy(text);
  if ("problems" in before || "problems" in after) return false;
  const found = listed(after.policy, protocol);
  if (found.length !== wanted.length || !found.every((item, at) => isPair(item, wanted[at]))) return false;
  const isNew = !before.policy.blocks.has(protocol);
  const [was, is] = [before.policy.text, text].map((one) => outline(one, protocol, isNew));
  return was !== undefined && was === is;
}

// Everything in the file but the list that is edited, or but the whole block when it is new.
function outline(text: string, protocol: Protocol, isNew: boolean): string | undefined {
  const tree = readYaml(text, new Problems());
  if (tree?.kind !== "map") return undefined;
  const entries = new Map(tree.entries);
  const block = entries.get(protocol);
  if (isNew || block?.value.kind !== "map") entries.delete(protocol);
  else {
    const kept = new Map([...block.value.entries].filter(([key]) => key !== "inspect"));
    entries.set(protocol, { keyAt: block.keyAt, value: { ...block.value, entries: kept } });
  }
  return treeText({ ...tree, entries });
}

function isPair(a: InspectEntry, b: InspectEntry | undefined): boolean {
  return b !== undefined && isSameEntry(a, b);
}

function listed(policy: Policy, protocol: Protocol): readonly InspectEntry[] {
  return (policy.blocks.get(protocol)?.inspect ?? []).map((one) => one.entry);
}

// Says why an entry would change nothing; undefined when it would, or when that is not known.
function redundancy(policy: Policy, protocol: Protocol, entry: InspectEntry): string | undefined {
  const all = [...policy.blocks.values()].flatMap((block) => block.inspect);
  const same = all.find((one) => isSameEntry(one.entry, entry));
  if (same?.protocol === protocol) return `${protocol} already inspects ${place(same)}`;
  const order = [...policy.blocks.keys()];
  const isEarlier = (one: ListedEntry): boolean =>
    !policy.blocks.has(protocol) || order.indexOf(one.protocol) < order.indexOf(protocol);
  if (same !== undefined && isEarlier(same))
    return `${same.protocol} already inspects ${place(same)} and wins, as it comes first in the file`;
  const cover = all
    .filter((one) => one.protocol === protocol && entryCovers(one.entry, entry))
    .sort((a, b) => b.entry.specificity - a.entry.specificity)[0];
  if (cover === undefined) return undefined;
  // Another protocol's entry in between decides now for hosts that the new entry would win.
  const isBetween = (one: ListedEntry): boolean =>
    one.protocol !== protocol &&
    one.entry.specificity >= cover.entry.specificity &&
    one.entry.specificity <= entry.specificity &&
    (one.entry.kind === "glob" || entry.kind === "glob" || entryCovers(one.entry, entry));
  return all.some(isBetween) ? undefined : `${protocol} already inspects this through ${place(cover)}`;
}

function place({ entry, line }: ListedEntry): string {
  return `'${entry.text}' (line ${line})`;
}

function notListed(protocol: Protocol, written: string, entries: readonly InspectEntry[]): string {
  const texts = entries.map((one) => one.text);
  const near = nearestWord(written, texts);
  if (near !== undefined) return `${protocol} does not list '${written}'; did you mean '${near}'?`;
  return texts.length === 0
    ? `${protocol} lists nothing to inspect`
    : `${protocol} does not list '${written}'`;
}

function unreadable(problems: readonly PolicyProblem[]): PolicyEdit {
  const hint = "correct it with `iddio policy edit`, then try again";
  return { kind: "refused", message: "policy.yaml has errors, so it is not edited", hint, problems };
}

function refuseCatchAll(protocol: Protocol, written: string): PolicyEdit {
  const message = `'${written}' covers every host, which only 'generic' may`;
  return { kind: "refused", message, hint: `name the hosts of ${protocol}, or add it to generic` };
}

function byHand(protocol: Protocol): PolicyEdit {
  const message = `the 'inspect' list of ${protocol} is written in a way that cannot be edited by command`;
  return { kind: "refused", message, hint: "use `iddio policy edit`" };
}
