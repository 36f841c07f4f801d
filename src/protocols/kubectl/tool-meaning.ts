// Reads kubectl's own command lines in a policy: `kubectl get secrets` is the requests that
// kubectl sends for it, whatever flags it has. A command without a type is about every type.
// The requests are those that do what the command says, not the reads on the way there.

import { typeName } from "./command.ts";
import { isTold } from "./patch-command.ts";
import { createdType } from "./plan.ts";
import { categoryAll, isBuiltInSpelling, resourceType } from "./resources.ts";

/** The requests of a command, `*` being the type that is named behind it. */
interface ToolCommand {
  readonly sends: readonly string[];
  /** Its meaning besides where no type is named, though kubectl deletes objects one by one. */
  readonly withoutType?: readonly string[];
}

const READS: ToolCommand = { sends: ["* get", "* list", "* watch"] };
const PATCHES: ToolCommand = { sends: ["* patch"] };

/** Commands about a type. */
const TYPED: ReadonlyMap<string, ToolCommand> = new Map<string, ToolCommand>([
  ["get", READS],
  ["describe", READS],
  ["wait", READS],
  ["create", { sends: ["* create"] }],
  ["apply", { sends: ["* patch", "* create"] }],
  ["replace", { sends: ["* update"] }],
  ["delete", { sends: ["* delete"], withoutType: ["* deletecollection"] }],
  ...["patch", "edit", "label", "annotate", "set", "rollout"].map((name) => [name, PATCHES] as const),
  ...["image", "env", "resources", "selector", "serviceaccount"].map(
    (what) => [`set ${what}`, PATCHES] as const,
  ),
  ["rollout restart", PATCHES],
  ["rollout pause", PATCHES],
  ["rollout resume", PATCHES],
  ["rollout undo", { sends: ["* patch", "* update"] }],
  ["rollout status", READS],
  ["rollout history", { sends: ["* get", "* list"] }],
  ["scale", { sends: ["*/scale patch", "*/scale update"] }],
]);

/** Commands that only lead to those below them. */
const GROUPS: ReadonlySet<string> = new Set(["set", "rollout"]);

const APPROVES = ["certificatesigningrequests/approval update", "certificatesigningrequests/approval patch"];
const POD_METRICS = ["pods list", "pods get"];
const NODE_METRICS = ["nodes list", "nodes get"];
const RBAC = ["roles", "rolebindings", "clusterroles", "clusterrolebindings"];

/** Commands whose type is fixed. A type behind them is only what they are done to. */
const FIXED: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["autoscale", ["horizontalpodautoscalers create"]],
  ["expose", ["services create"]],
  ["run", ["pods create"]],
  ["cordon", ["nodes patch"]],
  ["uncordon", ["nodes patch"]],
  ["taint", ["nodes patch"]],
  ["drain", ["pods/eviction create", "cordon"]],
  ["logs", ["pods/log get"]],
  ["events", ["events list", "events watch"]],
  ["set subject", ["rolebindings patch", "clusterrolebindings patch"]],
  ["create token", ["serviceaccounts/token create"]],
  ["certificate", APPROVES],
  ["certificate approve", APPROVES],
  ["certificate deny", APPROVES],
  ["top", [...POD_METRICS, ...NODE_METRICS]],
  ...["pod", "pods", "po"].map((word) => [`top ${word}`, POD_METRICS] as const),
  ...["node", "nodes", "no"].map((word) => [`top ${word}`, NODE_METRICS] as const),
  ["auth can-i", ["selfsubjectaccessreviews create", "selfsubjectrulesreviews create"]],
  ["auth whoami", ["selfsubjectreviews create"]],
  ["auth reconcile", RBAC.flatMap((type) => [`${type} create`, `${type} update`])],
]);

/** Parts of a `create` command that tell kinds of one type apart. */
const CREATED_KINDS: Readonly<Record<string, RegExp>> = {
  secrets: /^(?:generic|tls|docker-registry)$/,
  services: /^(?:clusterip|nodeport|loadbalancer|externalname)$/,
};

/** The meaning of one command. */
export interface ToolMeaning {
  readonly names: readonly string[];
  /** Those of them that only rules that ask or deny mean. */
  readonly onlyRestricting: readonly string[];
}

/** The commands, without types. */
export function kubectlToolCommands(): readonly string[] {
  return [...TYPED.keys(), ...FIXED.keys()];
}

/** Commands that change what a command of kubectl with a type or about a fixed one changes; undefined for what is none. */
export function kubectlCommandsLike(words: readonly string[]): readonly string[] | undefined {
  const command = words.join(" ");
  if (kubectlToolMeaning(words) === undefined) return undefined;
  const type = FIXED.get(command)?.[0]?.split(/[ /]/)[0] ?? words.at(-1) ?? "";
  const { resource } = resourceType(type);
  const verbs = [...TYPED.keys()].filter((name) => !GROUPS.has(name) && isDoneTo(name, resource));
  const ofType = isTypeWord(type) && !TYPED.has(command) ? verbs.map((name) => `${name} ${type}`) : [];
  return [...new Set([command, ...ofType, ...FIXED.keys()])];
}

/** Commands about nodes alone. */
const OF_NODES: ReadonlySet<string> = new Set(["cordon", "uncordon", "drain", "taint"]);

/** Whether kubectl does it to objects of this type: images are those of pods. */
function isDoneTo(command: string, resource: string): boolean {
  if (command.startsWith("set ")) return isTold("set image", resource);
  return !command.startsWith("rollout ") || isTold("rollout restart", resource);
}

/** The meaning of a command line, its words in lower case without the program; undefined for what is no command of kubectl. */
export function kubectlToolMeaning(words: readonly string[]): ToolMeaning | undefined {
  const command = words.join(" ");
  const fixed = FIXED.get(command);
  if (fixed !== undefined)
    return { names: [command, ...fixed], onlyRestricting: isTold(command) ? fixed : [] };
  const bare = TYPED.get(command);
  // An allow of every `create` would be one of `pods/exec create`, so only rules that restrict mean every type.
  if (bare !== undefined) {
    const sent = [...bare.sends, ...(bare.withoutType ?? [])];
    return { names: [command, ...sent], onlyRestricting: command === "scale" ? [] : sent };
  }
  if (words[0] === "create") {
    const created = createdOf(words.slice(1));
    if (created !== undefined) return { names: [`${created} create`], onlyRestricting: [] };
  }
  const before = words.slice(0, -1).join(" ");
  const type = words.at(-1) ?? "";
  const doneTo = isBuiltInSpelling(type) ? FIXED.get(before) : undefined;
  // There is no `cordon pods`.
  if (OF_NODES.has(before) && typesNamed(type).join() !== "nodes") return undefined;
  if (doneTo !== undefined)
    return isTold(before)
      ? { names: [before, ...doneTo], onlyRestricting: doneTo }
      : { names: doneTo, onlyRestricting: [] };
  const of = TYPED.get(before);
  // `rollout restrat` is a slip, no type.
  if (of === undefined || !isTypeWord(type) || GROUPS.has(before)) return undefined;
  const types = typesNamed(type);
  // Nor `rollout restart services`; who allows it would allow every patch of them.
  const isOfPods = /^rollout |^set (?:image|env|resources|serviceaccount)$/.test(before);
  if (isOfPods && types.every((each) => !/[*?]/.test(each) && !isDoneTo(before, each))) return undefined;
  const sent = (each: string) => of.sends.map((name) => name.replace("*", () => each));
  // The patch tells such a command, so an allow of it is about no other change.
  const told = types.filter((each) => (/[*?]/.test(each) ? isTold(before) : isTold(before, each)));
  return {
    names: [...told.map((each) => `${before} ${each}`), ...types.flatMap(sent)],
    onlyRestricting: told.flatMap(sent),
  };
}

function createdOf([what = "", kind, ...rest]: readonly string[]): string | undefined {
  const type = createdType(what);
  if (type === undefined || rest.length > 0) return undefined;
  return kind === undefined || CREATED_KINDS[type]?.test(kind) === true ? type : undefined;
}

/** A type, a pattern of types, or a type with a subresource; options and lists are none. */
function isTypeWord(word: string): boolean {
  return /^[a-z0-9*?][a-z0-9*?./-]*$/.test(word);
}

/** The types that a word names, as requests are called: `all` is several, patterns stay as they are. */
export function typesNamed(word: string): readonly string[] {
  if (word === "all") return categoryAll();
  const [base = "", ...below] = word.split("/");
  const type = /[*?]/.test(base) ? base : typeName(resourceType(base));
  return [[type, ...below].join("/")];
}
