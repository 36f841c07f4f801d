// The proof that a learnt policy lets through only the learnt operations: every known operation and
// a command for every combination of patterns, in every scope that the two policies can tell apart,
// is decided by both. A request with several names is newly allowed only if it is by one of them,
// so one name at a time is enough.

import { compileNameGlob } from "../../match/name-glob.ts";
import { ACTIONS } from "../../model/action.ts";
import { PROTOCOLS, type Protocol } from "../../model/protocol.ts";
import { isTier, TIERS, type TierOrUnknown } from "../../model/tier.ts";
import type { NameCatalogue } from "../compare/catalogue.ts";
import { diffInspect } from "../compare/diff-inspect.ts";
import { enumerate } from "../compare/enumeration.ts";
import type { ScopeCell } from "../compare/scope-cells.ts";
import type { Steps } from "../compare/steps.ts";
import { decide } from "../decide/decide.ts";
import { Problems } from "../parse/problems.ts";
import { readYaml } from "../parse/read-yaml.ts";
import { treeText } from "../parse/yaml-tree.ts";
import type { Policy } from "../policy.ts";

/** The single change that a suggestion may make: allow one command in some scopes. */
export interface Learnt {
  readonly protocol: Protocol;
  readonly command: string;
  readonly tier: TierOrUnknown;
  /** Label and names or patterns of the scopes; undefined where the operation has none. */
  readonly scope: { readonly label: string; readonly names: readonly string[] } | undefined;
  /** The body can raise the tier, so no stricter one may be allowed along with it. */
  readonly readsBody: boolean;
}

/** Why a policy is not what it should be, in a clause, and the rules that are at fault; none where that cannot be told. */
export interface Objection {
  readonly why: string;
  readonly about: readonly Learnt[];
}

/**
 * Why `after` is not `before` plus the learnt rules; empty when it is proven to be. All rules that are at fault are
 * found at once, so that the others are not held back with them.
 */
export function* widensOnlyBy(
  before: Policy,
  after: Policy,
  learnt: readonly Learnt[],
  catalogue: NameCatalogue,
): Steps<readonly Objection[]> {
  const inspect = diffInspect(before, after);
  if (inspect.routes.length > 0 || inspect.unknown !== undefined)
    return [{ why: "it would change which hosts are looked into", about: [] }];
  const objections: Objection[] = [];
  const blamed = new Set<Learnt>();
  const [textBefore, textAfter] = [blockTextsOf(before), blockTextsOf(after)];
  for (const protocol of PROTOCOLS) {
    const own = learnt.filter((one) => one.protocol === protocol);
    if (own.length === 0 && textBefore(protocol) === textAfter(protocol)) continue;
    const blocks = [before.blocks.get(protocol), after.blocks.get(protocol)].filter(
      (one) => one !== undefined,
    );
    yield;
    const all = enumerate(protocol, blocks, catalogue(protocol), { by: "patterns" });
    if ("unknown" in all)
      return [
        {
          why: `the patterns of ${protocol} overlap in too many ways to prove that it allows no more`,
          about: [],
        },
      ];
    for (const cell of all.cells()) {
      yield;
      for (const commands of all.classes) {
        const asked = all.classificationOf(commands, cell);
        if (asked === undefined) continue;
        const [was, is] = [decide(before, asked).action, decide(after, asked).action];
        if (was === is) continue;
        const names = commands.names.map((name) => name.toLowerCase());
        const isKnown = commands.operations.length > 0;
        const named = own.filter(({ command }) => names.includes(command.toLowerCase()));
        const within = named.filter(({ scope }) => isWithin(scope, cell));
        const isLearnt =
          ACTIONS.indexOf(is) < ACTIONS.indexOf(was) &&
          is === "allow" &&
          within.some((one) => isOfTier(one, commands.tier, isKnown));
        if (isLearnt) continue;
        if (named.length === 0) {
          const why = `it would change more than that: '${asked.command}' of tier ${asked.tier}`;
          return objections.length > 0 ? objections : [{ why, about: [] }];
        }
        const why = `a rule by command would allow it also where something makes it ${asked.tier}; deny ${asked.tier} first`;
        const about = (within.length > 0 ? within : named).filter((one) => !blamed.has(one));
        for (const one of about) blamed.add(one);
        if (about.length > 0) objections.push({ why, about });
      }
    }
  }
  return objections;
}

function blockTextsOf({ text }: Policy): (protocol: Protocol) => string | undefined {
  const tree = readYaml(text, new Problems());
  return (protocol) => {
    const block = tree?.kind === "map" ? tree.entries.get(protocol)?.value : undefined;
    return block && treeText(block);
  };
}

/** Never break-glass. May be stricter than the seen requests only for other combinations of names. */
function isOfTier({ tier, readsBody }: Learnt, found: TierOrUnknown, isKnown: boolean): boolean {
  if (!isTier(found) || !isTier(tier) || found === "break-glass") return false;
  return TIERS.indexOf(found) <= TIERS.indexOf(tier) || (!isKnown && !readsBody);
}

function isWithin(scope: Learnt["scope"], cell: readonly ScopeCell[]): boolean {
  if (scope === undefined) return true;
  const found = cell.find(({ label }) => label === scope.label);
  const { name } = found ?? {};
  if (found === undefined || name === undefined) return false;
  return scope.names.some((text) => {
    const glob = compileNameGlob(text);
    return "test" in glob && glob.test(name);
  });
}
