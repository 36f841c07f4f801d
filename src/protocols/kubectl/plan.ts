// Maps each kubectl command to its requests to the API server: one short rule a command, after the
// requests that kubectl is seen to send. Knows no tiers except where a command never reaches the
// server or where its worst part is not visible in its words.

import type { Tier } from "../../model/tier.ts";
import { isSwitchedOn, lastValue, type ReadArgv } from "../argv.ts";
import { type ResourceTarget, resourceTargets, resourceType } from "./resources.ts";

/** One operation on the API server. */
export interface PlannedOperation extends ResourceTarget {
  readonly verb: string;
  readonly subresource: string | undefined;
  /** The command that sends it, where that is told. */
  readonly sentBy?: string;
}

/** Operations that a command causes. `command` replaces their own names where kubectl's word says more. */
export interface KubectlPlan {
  readonly operations: readonly PlannedOperation[];
  readonly takesDryRun: boolean;
  readonly command?: string;
}

/** The plan of a command line: requests to make, a tier of its own, or a raw request. */
export type Plan =
  | KubectlPlan
  | { readonly tier: Tier; readonly command: string; readonly reason: string }
  | { readonly raw: { readonly method: string; readonly target: string } };

type Planner = (words: readonly string[], read: ReadArgv) => Plan;

/** The plan of a command, given the words after it; undefined for a command that kubectl does not have. */
export function planFor(command: string, words: readonly string[], read: ReadArgv): Plan | undefined {
  // Experiments keep their meaning when they are promoted: `kubectl alpha debug`.
  if ((command === "alpha" || command === "beta") && words[0] !== undefined)
    return planFor(words[0], words.slice(1), read);
  return PLANNERS.get(command)?.(words, read);
}

/** Reads the types and names among words, leaving out `key=value` and `key-`. */
function targetsOf(words: readonly string[]): readonly ResourceTarget[] {
  return resourceTargets(targetWords(words));
}

function targetWords(words: readonly string[]): readonly string[] {
  return words.filter((word) => !word.includes("=") && !word.endsWith("-"));
}

function on(type: string, verb: string, subresource?: string, name?: string): PlannedOperation {
  return { ...resourceType(type), name, verb, subresource };
}

function patchOfNodes(sentBy: string): PlannedOperation {
  return { ...on("nodes", "patch"), sentBy };
}

function isFromFile(read: ReadArgv): boolean {
  return read.flags.has("filename") || read.flags.has("kustomize");
}

function reads(verbFor: (target: ResourceTarget, read: ReadArgv) => string): Planner {
  return (words, read) => {
    const raw = lastValue(read, "raw");
    if (raw !== undefined) return { raw: { method: "GET", target: raw } };
    const targets = resourceTargets(words);
    if (targets.length === 0 && isFromFile(read))
      return { tier: "sensitive", command: "get", reason: "reads what a file names, which may be secrets" };
    const subresource = lastValue(read, "subresource");
    return {
      operations: targets.map((target) => ({ ...target, verb: verbFor(target, read), subresource })),
      takesDryRun: false,
    };
  };
}

const getOrList: Planner = reads((target, read) => {
  if (isSwitchedOn(read, "watch") || isSwitchedOn(read, "watch-only")) return "watch";
  return target.name === undefined ? "list" : "get";
});

/** Commands that change what words or files name; `rawMethod` is what their `--raw` sends. */
function writes(verb: string, command: string, subresource?: string, rawMethod?: string): Planner {
  return (words, read) => {
    const raw = rawMethod === undefined ? undefined : lastValue(read, "raw");
    if (raw !== undefined && rawMethod !== undefined) return { raw: { method: rawMethod, target: raw } };
    if (isSwitchedOn(read, "local")) return { tier: "observe", command, reason: "--local sends nothing" };
    const targets = targetsOf(words);
    // A file's kinds are not in the command line: tiered by the verb, as the manual does for apply.
    if (targets.length === 0 && isFromFile(read))
      return { operations: [on("", verb)], takesDryRun: true, command };
    const below = lastValue(read, "subresource") ?? subresource;
    return {
      operations: targets.map((target) => ({ ...target, verb, subresource: below, sentBy: command })),
      takesDryRun: true,
    };
  };
}

function always(tier: Tier, command: string, reason: string): Planner {
  return () => ({ tier, command, reason });
}

function operations(takesDryRun: boolean, ...list: readonly PlannedOperation[]): Planner {
  return () => ({ operations: list, takesDryRun });
}

/** A command made of commands. On its own it prints help; with a word that it does not have it is a riddle. */
function nested(command: string, entries: Readonly<Record<string, Planner>>): Planner {
  const planners = new Map(Object.entries(entries));
  return (words, read) => {
    const [what, ...rest] = words;
    if (what === undefined) return { tier: "observe", command, reason: "prints help" };
    return planners.get(what)?.(rest, read) ?? { operations: [], takesDryRun: false };
  };
}

/** Prunes and forced replacements delete objects that a plain apply would leave. */
function applies(
  verb: string,
  command: string,
  deletingFlags: readonly string[],
  rawMethod?: string,
): Planner {
  const plain = writes(verb, command, undefined, rawMethod);
  return (words, read) => {
    const plan = plain(words, read);
    if (!("operations" in plan) || !deletingFlags.some((flag) => isSwitchedOn(read, flag))) return plan;
    return { ...plan, command, operations: [...plan.operations, on("", "delete")] };
  };
}

const labels: Planner = (words, read) =>
  isSwitchedOn(read, "list")
    ? reads(() => "get")(targetWords(words), read)
    : writes("patch", "label")(words, read);

const CREATED: Readonly<Record<string, string>> = {
  clusterrole: "clusterroles",
  clusterrolebinding: "clusterrolebindings",
  configmap: "configmaps",
  cm: "configmaps",
  cronjob: "cronjobs",
  cj: "cronjobs",
  deployment: "deployments",
  deploy: "deployments",
  dep: "deployments",
  ingress: "ingresses",
  ing: "ingresses",
  job: "jobs",
  namespace: "namespaces",
  ns: "namespaces",
  poddisruptionbudget: "poddisruptionbudgets",
  pdb: "poddisruptionbudgets",
  priorityclass: "priorityclasses",
  pc: "priorityclasses",
  quota: "resourcequotas",
  resourcequota: "resourcequotas",
  role: "roles",
  rolebinding: "rolebindings",
  secret: "secrets",
  service: "services",
  svc: "services",
  serviceaccount: "serviceaccounts",
  sa: "serviceaccounts",
};

/** The type that `kubectl create <word>` makes; undefined where kubectl has no such command. */
export function createdType(word: string): string | undefined {
  return Object.hasOwn(CREATED, word) ? CREATED[word] : undefined;
}

const create: Planner = (words, read) => {
  const [what, ...rest] = words;
  if (what === undefined) return writes("create", "create", undefined, "POST")(words, read);
  if (what === "token") return { operations: [on("serviceaccounts", "create", "token")], takesDryRun: false };
  const type = createdType(what);
  if (type === undefined) return { operations: [], takesDryRun: false };
  const name = type === "namespaces" || type === "configmaps" ? rest[0] : undefined;
  return { operations: [on(type, "create", undefined, name)], takesDryRun: true };
};

/** An interactive run attaches to the pod that it creates. */
const run: Planner = (_words, read) => {
  const attaches = ["stdin", "tty", "attach"].some((flag) => isSwitchedOn(read, flag));
  const pod = on("pods", "create");
  return { operations: attaches ? [on("pods", "create", "attach"), pod] : [pod], takesDryRun: true };
};

const configView: Planner = (_words, read) =>
  isSwitchedOn(read, "raw")
    ? { tier: "sensitive", command: "config view", reason: "--raw prints credentials" }
    : { tier: "observe", command: "config view", reason: "credentials are left out" };

const config: Planner = (words, read) => {
  const [what] = words;
  if (what === "view") return configView(words, read);
  const command = what === undefined ? "config" : `config ${what}`;
  if (what === undefined || /^(?:get-(?:contexts|clusters|users)|current-context)$/.test(what))
    return { tier: "observe", command, reason: "reads the kubeconfig" };
  if (
    /^(?:set|unset|use|use-context|rename-context|(?:set|delete)-(?:context|cluster|user|credentials))$/.test(
      what,
    )
  )
    return { tier: "modify", command, reason: "changes the kubeconfig" };
  return { operations: [], takesDryRun: false };
};

const set: Planner = (words, read) => {
  const [what, ...rest] = words;
  // Subjects are those of role bindings, whatever else is named.
  if (what === "subject") return { operations: [on("rolebindings", "patch")], takesDryRun: true };
  if (what === "env" && isSwitchedOn(read, "resolve")) {
    const plan = writes("patch", "set env")(rest, read);
    return "operations" in plan ? { ...plan, operations: [...plan.operations, on("secrets", "get")] } : plan;
  }
  if (what === "env" && isSwitchedOn(read, "list")) return reads(() => "get")(targetWords(rest), read);
  if (what === undefined) return { tier: "observe", command: "set", reason: "prints help" };
  const named = what === "sa" ? "serviceaccount" : what;
  if (!SETTABLE.has(named)) return { operations: [], takesDryRun: false };
  return writes("patch", `set ${named}`)(rest, read);
};

const SETTABLE: ReadonlySet<string> = new Set(["env", "image", "resources", "selector", "serviceaccount"]);

const kustomizeBuild: Planner = (_words, read) =>
  isSwitchedOn(read, "enable-helm") ||
  isSwitchedOn(read, "enable-alpha-plugins") ||
  read.flags.has("helm-command")
    ? { tier: "modify", command: "kustomize", reason: "runs programs that the kustomization names" }
    : { tier: "observe", command: "kustomize", reason: "renders files" };

const readOne = reads(() => "get");
const patchOf = (command: string): Planner => writes("patch", command);
const printed = (command: string): Planner => always("observe", command, "asks the server about itself");

const PLANNERS: ReadonlyMap<string, Planner> = new Map<string, Planner>([
  ["get", getOrList],
  ["describe", getOrList],
  ["wait", reads(() => "watch")],
  ["create", create],
  ["apply", (words, read) => (APPLY_PARTS.get(words[0] ?? "") ?? applyFile)(words, read)],
  ["delete", writes("delete", "delete", undefined, "DELETE")],
  ["replace", applies("update", "replace", ["force"], "PUT")],
  ["patch", patchOf("patch")],
  ["edit", patchOf("edit")],
  ["label", labels],
  ["annotate", labels],
  ["scale", writes("patch", "scale", "scale")],
  ["autoscale", operations(true, on("horizontalpodautoscalers", "create"))],
  ["expose", operations(true, on("services", "create"))],
  ["run", run],
  ["set", set],
  [
    "rollout",
    nested("rollout", {
      status: reads(() => "watch"),
      history: readOne,
      undo: patchOf("rollout undo"),
      restart: patchOf("rollout restart"),
      pause: patchOf("rollout pause"),
      resume: patchOf("rollout resume"),
    }),
  ],
  ["cordon", operations(true, patchOfNodes("cordon"))],
  ["uncordon", operations(true, patchOfNodes("uncordon"))],
  ["taint", operations(true, patchOfNodes("taint"))],
  ["drain", operations(true, on("pods", "create", "eviction"), patchOfNodes("cordon"))],
  ["logs", operations(false, on("pods", "get", "log"))],
  ["events", operations(false, on("events", "list"))],
  [
    "top",
    (words) => ({ operations: [on(`${words[0] ?? "pods"}.metrics.k8s.io`, "list")], takesDryRun: false }),
  ],
  ["diff", always("observe", "diff", "a dry run stores nothing")],
  ["exec", operations(false, on("pods", "create", "exec"))],
  ["attach", operations(false, on("pods", "create", "attach"))],
  ["port-forward", operations(false, on("pods", "create", "portforward"))],
  ["proxy", always("break-glass", "proxy", "opens the whole API to anything on this machine")],
  ["debug", operations(false, on("pods", "patch", "ephemeralcontainers"))],
  ["cp", () => ({ operations: [on("pods", "create", "exec")], takesDryRun: false, command: "cp" })],
  [
    "auth",
    nested("auth", {
      "can-i": (_words, read) => ({
        operations: [
          on(isSwitchedOn(read, "list") ? "selfsubjectrulesreviews" : "selfsubjectaccessreviews", "create"),
        ],
        takesDryRun: false,
      }),
      whoami: operations(false, on("selfsubjectreviews", "create")),
      reconcile: () => ({
        operations: [on("clusterroles", "update")],
        takesDryRun: true,
        command: "auth reconcile",
      }),
    }),
  ],
  [
    "certificate",
    nested("certificate", {
      approve: operations(false, on("certificatesigningrequests", "update", "approval")),
      deny: operations(false, on("certificatesigningrequests", "update", "approval")),
    }),
  ],
  ["config", config],
  ["kustomize", kustomizeBuild],
  ["cluster-info", printed("cluster-info")],
  ["clusterinfo", printed("cluster-info")],
  ["version", printed("version")],
  ["api-resources", printed("api-resources")],
  ["api-versions", printed("api-versions")],
  ["explain", printed("explain")],
  ["completion", always("observe", "completion", "prints a script")],
  ["plugin", always("observe", "plugin list", "lists programs")],
  ["options", always("observe", "options", "prints help")],
  ["help", always("observe", "help", "prints help")],
  ["convert", always("observe", "convert", "renders files")],
  ["kuberc", always("modify", "kuberc", "changes kubectl's preferences")],
]);

const applyFile = applies("patch", "apply", ["prune", "force"]);

const APPLY_PARTS: ReadonlyMap<string, Planner> = new Map<string, Planner>([
  ["view-last-applied", (words, read) => readOne(words.slice(1), read)],
  ["edit-last-applied", (words, read) => patchOf("apply edit-last-applied")(words.slice(1), read)],
  ["set-last-applied", (words, read) => patchOf("apply set-last-applied")(words.slice(1), read)],
]);
