// The verdict on one classified request: a pure look-up in the compiled policy. The last resort is
// never laxer than the block's default, and an unclassified request is never allowed, whatever the
// file says.

import { stricterAction } from "../../model/action.ts";
import { AGENT_LABEL, scopeName } from "../../model/agent-label.ts";
import type { Classification } from "../../model/classification.ts";
import { isTier } from "../../model/tier.ts";
import type { Verdict } from "../../model/verdict.ts";
import { withArticle } from "../../text/article.ts";
import type { Policy, ProtocolBlock, RuleTable } from "../policy.ts";
import { withCentral } from "./central-verdict.ts";
import { findCommandRule, stricterVerdict } from "./rule-table.ts";

/**
 * Decides by the block of the classification's protocol. Of a request with parts each is decided, and the
 * strictest wins. A protocol without a block escalates, with an empty rule. Without `mayWiden`, which only a run that was
 * started with presence has, `agents:` makes a verdict stricter and never milder. With a central policy both decide, and
 * the stricter verdict counts.
 */
export function decide(policy: Policy, classification: Classification, mayWiden = true): Verdict {
  const own = decideAlone(policy, classification, mayWiden);
  const { central } = policy;
  return central === undefined
    ? own
    : withCentral(own, central, classification, decideAlone(central.policy, classification, mayWiden));
}

/** The verdict of one policy, before the control plane's is added. */
function decideAlone(policy: Policy, classification: Classification, mayWiden: boolean): Verdict {
  const block = policy.blocks.get(classification.protocol);
  if (block !== undefined) {
    const verdict = decideIn(block, classification);
    if (mayWiden || !block.scopes.some(({ label }) => label === AGENT_LABEL)) return verdict;
    return stricterVerdict(verdict, decideIn(withoutAgents(block), classification));
  }
  const reason = `the policy has no '${classification.protocol}' block`;
  return { action: "escalate", rule: "", line: 0, reason };
}

const withoutLists = new WeakMap<ProtocolBlock, ProtocolBlock>();

/** The block as if it had no `agents:`, which is how it decides for a run that was started without presence. */
export function withoutAgents(block: ProtocolBlock): ProtocolBlock {
  const known = withoutLists.get(block);
  if (known !== undefined) return known;
  const bare = { ...block, scopes: block.scopes.filter(({ label }) => label !== AGENT_LABEL) };
  withoutLists.set(block, bare);
  return bare;
}

function decideIn(block: ProtocolBlock, classification: Classification): Verdict {
  const { parts } = classification;
  if (parts === undefined || parts.length === 0) return decideOne(block, classification);
  let strictest = decideWhole(block, classification);
  for (const part of parts) strictest = stricterVerdict(strictest, decideIn(block, part));
  return strictest ?? decideOne(block, classification);
}

/**
 * The verdict on a batch as a whole, beside those of its parts: undefined unless the batch is itself unknown
 * or a rule names it. On a request without a tier only a deny has a say beside the block.
 */
export function decideWhole(block: ProtocolBlock, classification: Classification): Verdict | undefined {
  const whole = { ...classification, tier: "unknown" as const };
  if (classification.tier === "unknown") return decideOne(block, whole);
  // A default that denies must not stand before a rule that denies the batch: it would look like the block's
  // own rule.
  const asking = { ...block, fallback: { ...block.fallback, action: "escalate" as const } };
  const verdict = decideOne(asking, whole);
  const isOfBlock = verdict.rule === block.fallback.rule || verdict.rule === block.protocol;
  return isOfBlock ? undefined : verdict;
}

function decideOne(block: ProtocolBlock, classification: Classification): Verdict {
  let strictest: Verdict | undefined;
  for (const { label, entries } of block.scopes) {
    const name = scopeName(classification.labels, label);
    const table = name === undefined ? undefined : entries.first(name.toLowerCase());
    if (table !== undefined)
      strictest = stricterVerdict(strictest, decideByTable(block, table, classification));
  }
  strictest ??= decideByTable(block, block.rules, classification);
  const { unnamedScopes, spannedScopes } = classification;
  return unnamedScopes === undefined && spannedScopes === undefined
    ? strictest
    : decideUnnamed(block, classification, strictest);
}

/** Makes a verdict stricter by the lists of the scopes that the request acts in and does not name. */
function decideUnnamed(block: ProtocolBlock, classification: Classification, named: Verdict): Verdict {
  const { unnamedScopes, spannedScopes, labels } = classification;
  let result = named;
  for (const { label, unnamed, isExhaustive } of block.scopes) {
    const isSpanned = spannedScopes?.includes(label) === true;
    if (!isSpanned && unnamedScopes?.includes(label) !== true) continue;
    result = isSpanned ? unnamed.inEvery(classification, result) : unnamed.inSome(classification, result);
    // The entry of the scope that it names says nothing about the scopes that no entry is about.
    if (labels[label] !== undefined && !isExhaustive)
      result = withFlatRules(block, classification, result, isSpanned, label);
  }
  return result;
}

function withFlatRules(
  block: ProtocolBlock,
  classification: Classification,
  result: Verdict,
  isSpanned: boolean,
  label: string,
): Verdict {
  const flat = decideByTable(block, block.rules, classification);
  if (isSpanned) return stricterVerdict(result, flat);
  if (flat.action === "allow" || result.action !== "allow") return result;
  const reason = `${flat.reason}, and the request acts in ${withArticle(label)} that it does not name, so a person decides`;
  return { ...flat, action: "escalate", reason, isInDoubt: true };
}

/** The verdict of one rules block, with the block's default behind it; scope lists are not asked. */
export function decideByTable(
  block: ProtocolBlock,
  table: RuleTable | undefined,
  classification: Classification,
): Verdict {
  const byCommand = table && findCommandRule(table, classification);
  if (!isTier(classification.tier))
    return byCommand?.action === "deny" ? byCommand : unknownVerdict(block, classification);
  const byTier = table?.tiers.get(classification.tier);
  if (byTier?.action === "deny" && byCommand?.action !== "deny") return byTier;
  return byCommand ?? byTier ?? block.fallback;
}

// An unknown request has no tier, so only a deny that names its command can say more than "ask or refuse".
function unknownVerdict(block: ProtocolBlock, { reason }: Classification): Verdict {
  const { fallback } = block;
  const isByDefault = fallback.action !== "allow";
  return {
    action: stricterAction("escalate", fallback.action),
    rule: isByDefault ? fallback.rule : block.protocol,
    line: isByDefault ? fallback.line : block.line,
    reason: `cannot be classified (${reason}), so it is never allowed by rule`,
  };
}
