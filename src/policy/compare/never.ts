// Proves that a policy never lets an operation through without asking, or gives a request that
// breaks the claim. The cases are those of the comparison of two policies, so the proof covers
// operations that no catalogue has; the request is one that exists: a published operation, or a
// name that requests carry, in a scope that it can be in. A claim about nothing proves nothing: a
// misspelt command and a protocol that the policy does not look into are told.

import { compileNameGlob } from "../../match/name-glob.ts";
import { AGENT_LABEL } from "../../model/agent-label.ts";
import type { Classification } from "../../model/classification.ts";
import { PROTOCOLS, type Protocol } from "../../model/protocol.ts";
import { TIERS } from "../../model/tier.ts";
import type { Verdict } from "../../model/verdict.ts";
import type { KnownNames } from "../../protocols/known-operation.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { withArticle } from "../../text/article.ts";
import { decide } from "../decide/decide.ts";
import { type CommandSelector, compileCommand, withoutProgram } from "../decide/rule-table.ts";
import { commandProblem } from "../lint/known-commands.ts";
import { scopeKeywords } from "../parse/block-keys.ts";
import type { PolicyProblem } from "../parse/problems.ts";
import type { Policy } from "../policy.ts";
import type { NameCatalogue } from "./catalogue.ts";
import type { CommandClass } from "./command-classes.ts";
import { enumerate } from "./enumeration.ts";
import type { ScopeCell } from "./scope-cells.ts";

/** A claim that the policy never allows a command without asking. */
export interface Claim {
  /** A command as rules name it; patterns are taken. */
  readonly command: string;
  /** Name or glob of a scope of any kind, or `account=…` with its kind; undefined for everywhere. */
  readonly scope: string | undefined;
  /** Undefined for every protocol of the policy. */
  readonly protocol: Protocol | undefined;
}

/** A request that the policy allows although the claim says that it never does. */
export interface CounterExample {
  readonly classification: Classification;
  readonly verdict: Verdict;
  /** Only a body or a header gives the operation this tier. */
  readonly isRaised: boolean;
}

/** The first counter-examples, or what kept a protocol from being looked at; both empty when the claim holds. */
export interface ClaimResult {
  readonly broken: readonly CounterExample[];
  readonly unknown: readonly string[];
  /** Requests that were decided, each standing for all that the policy cannot tell from it. */
  readonly decided: number;
  /** Doubts about a claim that holds, such as a command that may be misspelt. */
  readonly remarks: readonly string[];
}

/** Counter-examples that are given at most. */
const MAX_EXAMPLES = 20;

/** Looks for a request that breaks the claim. Throws nothing; a malformed pattern is a problem of the result. */
export function checkNever(policy: Policy, claim: Claim, catalogue: NameCatalogue): ClaimResult {
  const found: CounterExample[][] = [[], [], [], []];
  const unknown: string[] = [];
  const strangers: PolicyProblem[] = [];
  const remarks: string[] = [];
  const open: Protocol[] = [];
  let [decided, known, vague] = [0, 0, 0];
  const nowhere = new Set<string>();
  for (const protocol of PROTOCOLS) {
    const block = policy.blocks.get(protocol);
    if (block === undefined || (claim.protocol !== undefined && claim.protocol !== protocol)) continue;
    const compiled = compileCommand(protocol, claim.command);
    const command = "problem" in compiled ? compiled : withoutNamesakes(compiled);
    const within = claim.scope === undefined ? undefined : readScope(protocol, claim.scope);
    const scope = within === undefined ? undefined : compileNameGlob(within.text);
    if ("problem" in command || (scope !== undefined && "problem" in scope)) {
      unknown.push(
        `${protocol}: ${"problem" in command ? command.problem : "the scope is not a name or glob"}`,
      );
      continue;
    }
    const names = catalogue(protocol);
    const labels = within?.labels ?? new Set<string>();
    const isNamed = isNamedBy(command);
    const operations = names.operations.filter(({ command: name, aliases }) => isNamed([name, ...aliases]));
    const problem = commandProblem(protocol, command);
    if (problem?.severity === "error" && operations.length === 0) {
      strangers.push(problem);
      continue;
    }
    // gcloud's command lines are read word by word, so it knows many a word that is another tool's slip.
    const isVague =
      problem !== undefined && protocol === "gcloud" && !startsWithProgram(protocol, claim.command);
    if (problem !== undefined && !isVague) remarks.push(describeProblem(problem));
    if (classifierFor(protocol).operations === undefined) open.push(protocol);
    else if (isVague) vague += 1;
    else known += 1;
    const all = enumerate(protocol, [block], names, {
      commands: [command],
      scopes:
        scope === undefined
          ? []
          : [...labels].map((label) => ({ label, text: within?.text ?? "", globs: scope.globs })),
    });
    if ("unknown" in all) {
      unknown.push(all.unknown);
      continue;
    }
    const decidedBefore = decided;
    const named = namedClasses(all.classes, isNamed, names, operations);
    for (const cell of all.cells()) {
      if (scope !== undefined && !cell.some((one) => labels.has(one.label) && isWithin(one, scope, labels)))
        continue;
      for (const commands of named) {
        const classification = all.classificationOf(commands, cell);
        if (classification === undefined) continue;
        const verdict = decide(policy, classification);
        decided += 1;
        if (verdict.action !== "allow") continue;
        const isRaised = commands.operations.length + commands.kinds.length === 0;
        const isOdd = cell.some(({ reach }) => reach === undefined);
        const examples = found[Number(isRaised) * 2 + Number(isOdd)];
        if (examples !== undefined && examples.length < MAX_EXAMPLES)
          examples.push({ classification, verdict, isRaised });
      }
    }
    if (decided === decidedBefore) nowhere.add(describeNowhere(protocol, claim));
  }
  // Where every name may be carried, a misspelt one is, too: the protocol has to be said.
  if (known === 0 && strangers.length > 0)
    unknown.push(
      ...strangers.map(describeProblem),
      ...open.map((protocol) => `if ${protocol} is meant: --protocol ${protocol}`),
    );
  else if (known + vague + open.length === 0 && unknown.length === 0) unknown.push(NO_BLOCK);
  if (decided === 0 && unknown.length === 0) unknown.push(...nowhere);
  // The plainest requests first; what only a body makes of an operation is said where the operation itself is not allowed.
  const broken = found.find((examples) => examples.length > 0) ?? [];
  return { broken, unknown, decided, remarks };
}

const NO_BLOCK = "the policy has no such block, so these connections pass unread";

/** A claim about no request at all. */
function describeNowhere(protocol: Protocol, { command, scope }: Claim): string {
  if (scope === undefined) return `no request of ${protocol} is called '${command}'`;
  const said = /^([a-z]+)=/.exec(scope)?.[1];
  const kinds =
    said === undefined
      ? scopeKeywords(protocol).flatMap(({ label }) => (label === AGENT_LABEL ? [] : [label]))
      : [said];
  return `no request called '${command}' is in ${kinds.map(withArticle).join(" or ") || "a scope"}, so nothing is said about '${scope}'; leave out the scope to ask about it everywhere`;
}

function startsWithProgram(protocol: Protocol, command: string): boolean {
  const words = command.trim().split(/\s+/);
  return withoutProgram(protocol, words).length < words.length;
}

function describeProblem({ message, hint }: PolicyProblem): string {
  const what = message.replace(/, so the rule never applies$/, "");
  return hint === undefined ? what : `${what}; ${hint}`;
}

function isNamedBy({ globs }: CommandSelector): (names: readonly string[]) => boolean {
  return (names) => names.some((name) => globs.some((glob) => glob.test(name.toLowerCase())));
}

/** A claim about `nodes get` is one about Kubernetes' own nodes. */
function withoutNamesakes(command: CommandSelector): CommandSelector {
  const { namesakes = [], globs } = command;
  return { ...command, globs: globs.filter((glob) => !namesakes.includes(glob)) };
}

/** The classes that the claim is about. */
function namedClasses(
  classes: readonly CommandClass[],
  isNamed: (names: readonly string[]) => boolean,
  { open }: KnownNames,
  known: KnownNames["operations"],
): readonly CommandClass[] {
  const named = classes.filter(({ names }) => isNamed(names));
  if (open !== "any" || known.length === 0) return named;
  // Where any name may be carried, one of a known operation is taken to be no tamer than it.
  const tamest = Math.min(
    ...known.map(({ tier }) => (tier === "unknown" ? TIERS.length : TIERS.indexOf(tier))),
  );
  return named.filter(
    ({ operations, tier }) => operations.length > 0 || tier === "unknown" || TIERS.indexOf(tier) >= tamest,
  );
}

/** A scope with the kinds that it can be of: `account=123456789012` says its kind, by the label or by the policy's word. */
function readScope(
  protocol: Protocol,
  scope: string,
): { readonly labels: ReadonlySet<string>; readonly text: string } {
  const [, kind = "", text = ""] = /^([a-z]+)=(.+)$/s.exec(scope) ?? [];
  const isOfKind = ({ label, keyword }: { readonly label: string; readonly keyword: string }) =>
    label === kind || keyword === kind;
  const isKind = PROTOCOLS.some((one) => scopeKeywords(one).some(isOfKind));
  if (!isKind) return { labels: labelsFor(protocol, scope), text: scope };
  return {
    labels: new Set(
      scopeKeywords(protocol)
        .filter(isOfKind)
        .map(({ label }) => label),
    ),
    text,
  };
}

/** The kinds of scopes that a name can be of: twelve digits are an account of AWS, `owner/name` is a repo. */
function labelsFor(protocol: Protocol, scope: string): ReadonlySet<string> {
  const kinds = scopeKeywords(protocol).filter(({ label }) => label !== AGENT_LABEL);
  const isPattern = /[*?{[]/.test(scope);
  const fitting = isPattern
    ? kinds.filter(({ form }) => form === undefined || mayFit(scope, form.pattern))
    : kinds.filter(({ form }) => form === undefined || form.pattern.test(scope));
  // A form that not every word has tells the kind.
  const telling = fitting.filter(({ form }) => form !== undefined && !form.pattern.test("x"));
  return new Set((telling.length > 0 && !isPattern ? telling : fitting).map(({ label }) => label));
}

/** Whether a pattern may match a name of this form: `logs-*` is no account of AWS. */
function mayFit(scope: string, form: RegExp): boolean {
  if (/[?{[]/.test(scope)) return true;
  const digits = Array.from({ length: 41 }, (_, length) => "1".repeat(length));
  return [...digits, "x", "x/y", "x/", "/x"].some((filling) => form.test(scope.replaceAll("*", filling)));
}

function isWithin(
  { label, name, beyond }: ScopeCell,
  scope: { readonly test: (name: string) => boolean },
  labels: ReadonlySet<string>,
): boolean {
  return labels.has(label) && (beyond !== "nothing" || (name !== undefined && scope.test(name)));
}
