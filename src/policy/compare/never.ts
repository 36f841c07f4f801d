// Proves that a policy never lets an operation through without asking, or gives a request that breaks the claim. The
// same enumeration as the comparison of two policies, so the proof covers operations that no catalogue has.

import { compileNameGlob } from "../../match/name-glob.ts";
import { AGENT_LABEL } from "../../model/agent-label.ts";
import type { Classification } from "../../model/classification.ts";
import { PROTOCOLS, type Protocol } from "../../model/protocol.ts";
import { TIERS } from "../../model/tier.ts";
import type { Verdict } from "../../model/verdict.ts";
import { decide } from "../decide/decide.ts";
import { compileCommand } from "../decide/rule-table.ts";
import { scopeKeywords } from "../parse/block-keys.ts";
import type { Policy } from "../policy.ts";
import { commandClasses } from "./command-classes.ts";
import { type Catalogue, classificationOf, combineCells } from "./diff.ts";
import { scopeCells } from "./scope-cells.ts";

/** What must never be allowed without asking. */
export interface Claim {
  /** A command as rules name it; patterns are taken. */
  readonly command: string;
  /** Name or glob of a scope of any kind; undefined for everywhere. */
  readonly scope: string | undefined;
  /** Undefined for every protocol of the policy. */
  readonly protocol: Protocol | undefined;
}

/** A request that the policy allows although the claim says that it never does. */
export interface CounterExample {
  readonly classification: Classification;
  readonly verdict: Verdict;
}

/** The first counter-examples, or what kept a protocol from being looked at; both empty when the claim holds. */
export interface ClaimResult {
  readonly broken: readonly CounterExample[];
  readonly unknown: readonly string[];
  /** Requests that were decided, each standing for all that the policy cannot tell from it. */
  readonly decided: number;
}

/** Counter-examples that are given at most. */
const MAX_EXAMPLES = 20;

/** Looks for a request that breaks the claim. Throws nothing; a malformed pattern is a problem of the result. */
export function checkNever(policy: Policy, claim: Claim, catalogue: Catalogue): ClaimResult {
  const broken: CounterExample[] = [];
  const unknown: string[] = [];
  let decided = 0;
  for (const protocol of PROTOCOLS) {
    const block = policy.blocks.get(protocol);
    if (block === undefined || (claim.protocol !== undefined && claim.protocol !== protocol)) continue;
    const command = compileCommand(protocol, claim.command);
    const scope = claim.scope === undefined ? undefined : compileNameGlob(claim.scope);
    if ("problem" in command || (scope !== undefined && "problem" in scope)) {
      unknown.push(
        `${protocol}: ${"problem" in command ? command.problem : "the scope is not a name or glob"}`,
      );
      continue;
    }
    const wanted =
      claim.scope === undefined || scope === undefined
        ? []
        : scopeKeywords(protocol)
            .filter(({ label }) => label !== AGENT_LABEL)
            .map(({ label }) => ({ label, text: claim.scope ?? "", globs: scope.globs }));
    const classes = commandClasses([block], catalogue(protocol), { others: [command] });
    const cells = scopeCells([block], wanted);
    if (classes === undefined || cells === undefined) {
      unknown.push(`${protocol}: its patterns overlap in too many ways to look at`);
      continue;
    }
    const isNamed = (name: string) => command.globs.some((glob) => glob.test(name.toLowerCase()));
    const known = catalogue(protocol).filter((one) => [one.command, ...one.aliases].some(isNamed));
    // An operation that no catalogue has is taken to be no tamer than the known ones of that name.
    const tamest = known.map(({ tier }) => TIERS.indexOf(tier)).sort((one, other) => one - other)[0] ?? 0;
    const named = classes.filter(
      ({ names, operations, tier }) =>
        names.some(isNamed) && (operations.length > 0 || tier === "unknown" || TIERS.indexOf(tier) >= tamest),
    );
    for (const cell of combineCells(cells.map((each) => each.cells))) {
      const isInside =
        scope === undefined ||
        cell.some(
          ({ label, name, beyond }) =>
            label !== AGENT_LABEL && (beyond !== "nothing" || (name !== undefined && scope.test(name))),
        );
      if (!isInside) continue;
      for (const commands of named) {
        const classification = classificationOf(protocol, commands, cell);
        const verdict = decide(policy, classification);
        decided += 1;
        if (verdict.action === "allow" && broken.length < MAX_EXAMPLES)
          broken.push({ classification, verdict });
      }
    }
  }
  return { broken, unknown, decided };
}
