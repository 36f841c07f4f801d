// Writes learnt rules into the policy's text, in an order in which places stay where they are:
// commands into the block or an entry, new entries before the one that decides now. Names with the
// same commands share an entry.

import { compileNameGlob } from "../../match/name-glob.ts";
import { addAllowed, type CommandLine, insertScopeEntry, type MapPath } from "../edit/rules-layout.ts";
import type { Policy } from "../policy.ts";
import type { RuleCandidate, SuggestedRule } from "./candidates.ts";
import type { RulePlace } from "./observations.ts";

/** The text with the candidates learnt; undefined where only a person can edit it. `day` writes a time for the remarks. */
export function textWith(
  policy: Policy,
  candidates: readonly RuleCandidate[],
  day: (ms: number) => string,
): string | undefined {
  return stepsOf(policy, candidates).reduce<string | undefined>(
    (text, edit) => (text === undefined ? undefined : edit(text, (rule) => remarkOf(rule, day))),
    policy.text,
  );
}

/** A count and the days, for the line of the rule. */
function remarkOf({ count, firstMs, lastMs }: SuggestedRule, day: (ms: number) => string): string {
  const [first, last] = [day(firstMs), day(lastMs)];
  return `seen ${count} times, ${first === last ? first : `${first} to ${last}`}`;
}

type Edit = (text: string, remark: (rule: SuggestedRule) => string) => string | undefined;

/**
 * Edits in an order in which places stay where they are: commands for entries that are there, then new entries from the
 * last place to the first, then commands for the block. At one place exact names come before patterns. A new entry copies
 * the rules that decide now, never those that are learnt beside it.
 */
function stepsOf(policy: Policy, ready: readonly RuleCandidate[]): readonly Edit[] {
  const flat = ready.filter(({ token }) => token === undefined);
  const scoped = entriesOf(ready.filter(({ token }) => token !== undefined));
  const isThere = (entry: NewEntry) => namesAt(policy, entry.place) === setText(entry.names);
  const fresh = scoped.filter((entry) => !isThere(entry));
  const placed = fresh.filter(({ place }) => place.index !== undefined);
  const last = fresh.filter(({ place }) => place.index === undefined);
  // Of two entries before the same one, the later insertion stands first.
  placed.sort(
    (a, b) => (b.place.index ?? 0) - (a.place.index ?? 0) || Number(b.isPattern) - Number(a.isPattern),
  );
  last.sort((a, b) => Number(a.isPattern) - Number(b.isPattern));
  /** Entries that stand before the old one of a place, so that it moved by as many. */
  const moved = new Map<string, number>();
  const inserted = ({ place, names, candidates }: NewEntry): Edit => {
    const by = moved.get(place.path) ?? 0;
    moved.set(place.path, by + 1);
    return (text, remark) =>
      place.scope &&
      insertScopeEntry(
        text,
        { protocol: place.protocol, keyword: place.scope.keyword, index: place.index },
        { names, source: pathOf(place, by), lines: linesOf(candidates, remark) },
      );
  };
  const allowed = (place: RulePlace, candidates: readonly RuleCandidate[]): Edit => {
    return (text, remark) => addAllowed(text, pathOf(place), linesOf(candidates, remark));
  };
  return [
    ...scoped.filter(isThere).map(({ place, candidates }) => allowed(place, candidates)),
    ...[...placed, ...last].map(inserted),
    ...flat.map((one) => allowed(one.place, [one])),
  ];
}

interface NewEntry {
  readonly place: RulePlace;
  readonly names: readonly string[];
  readonly isPattern: boolean;
  readonly candidates: readonly RuleCandidate[];
}

/**
 * Names and patterns for which the same commands are learnt share an entry. An entry for a name that a pattern covers,
 * too, has the pattern's commands: it stands first and decides alone.
 */
function entriesOf(candidates: readonly RuleCandidate[]): readonly NewEntry[] {
  const byName = new Map<string, RuleCandidate[]>();
  const listOf = ({ place }: RuleCandidate) => JSON.stringify([place.path, place.scope?.keyword]);
  for (const one of candidates) {
    const key = `${listOf(one)} ${one.token?.text}`;
    byName.set(key, [...(byName.get(key) ?? []), one]);
  }
  const entries = new Map<
    string,
    { place: RulePlace; names: string[]; isPattern: boolean; candidates: RuleCandidate[] }
  >();
  for (const own of byName.values()) {
    const [first] = own;
    if (first?.token === undefined) continue;
    const { place, token } = first;
    const isOwn = new Set(own.map(({ rule }) => rule.command));
    const covering = token.isPattern
      ? []
      : candidates.filter(
          (one) =>
            one.token?.isPattern === true &&
            listOf(one) === listOf(first) &&
            !isOwn.has(one.rule.command) &&
            covers(one.token.text, token.text),
        );
    const all = [...own, ...covering];
    const commands = [...new Set(all.map(({ rule }) => rule.command))].sort();
    const key = JSON.stringify([listOf(first), commands]);
    const entry = entries.get(key) ?? { place, names: [], isPattern: false, candidates: [] };
    entry.isPattern ||= token.isPattern;
    entry.names.push(token.text);
    entry.candidates.push(...all.filter((one) => !entry.candidates.includes(one)));
    entries.set(key, entry);
  }
  return [...entries.values()];
}

function covers(pattern: string, name: string): boolean {
  const glob = compileNameGlob(pattern);
  return "test" in glob && glob.test(name);
}

function linesOf(
  candidates: readonly RuleCandidate[],
  remark: (rule: SuggestedRule) => string,
): readonly CommandLine[] {
  const byCommand = new Map<string, SuggestedRule>();
  for (const { rule } of candidates) {
    const known = byCommand.get(rule.command);
    byCommand.set(rule.command, known === undefined ? rule : merged(known, rule));
  }
  return [...byCommand.values()].map((rule) => ({ command: rule.command, remark: remark(rule) }));
}

function merged(one: SuggestedRule, other: SuggestedRule): SuggestedRule {
  return {
    ...one,
    count: one.count + other.count,
    firstMs: Math.min(one.firstMs, other.firstMs),
    lastMs: Math.max(one.lastMs, other.lastMs),
  };
}

function pathOf({ protocol, scope, index }: RulePlace, moved = 0): MapPath {
  return scope === undefined || index === undefined ? [protocol] : [protocol, scope.keyword, index + moved];
}

function namesAt(policy: Policy, { protocol, scope, index }: RulePlace): string | undefined {
  const list = policy.blocks.get(protocol)?.scopes.find(({ keyword }) => keyword === scope?.keyword);
  const entry = index === undefined ? undefined : list?.written[index];
  return entry && setText(entry.names);
}

function setText(names: readonly string[]): string {
  return JSON.stringify([...new Set(names.map((name) => name.toLowerCase()))].sort());
}
