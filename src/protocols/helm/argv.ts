// Command lines of helm. Tiers are of the command, lowered by a dry run, raised by impersonation.
// The effect of a chart is not known, so the verb gives the tier.

import type { Classification } from "../../model/classification.ts";
import type { Tier } from "../../model/tier.ts";
import { type ArgvGrammar, isSwitchedOn, lastValue, type ReadArgv, readArgv } from "../argv.ts";
import { raisedToBreakGlass } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const GRAMMAR: ArgvGrammar = {
  values: words(`
    api-versions app-version burst-limit ca-file cascade cert-file color colour content-cache description destination
    filter history-max keep-history-max key key-file keyring kube-apiserver kube-as-group kube-as-user kube-ca-file
    kube-context kube-tls-server-name kube-token kube-version kubeconfig labels logs-name max max-col-width merge
    name-template namespace offset output output-dir passphrase-file password plain-http-host post-renderer
    post-renderer-args qps registry-config release-name-template repo repository-cache repository-config revision
    selector server-side set set-file set-json set-literal set-string show-only starter take time-format timeout
    untardir url username values version
  `),
  switches: words(`
    all all-namespaces atomic cleanup-on-fail create-namespace date debug dependency-update deployed deploy devel
    disable-openapi-validation enable-dns fail-on-no-result failed force force-conflicts force-replace force-update
    generate-name help hide-notes hide-secret ignore-not-found include-crds insecure insecure-skip-tls-verify install
    is-upgrade keep-history kube-insecure-skip-tls-verify list-repo-url logs no-headers no-hooks no-update
    password-stdin pass-credentials pending plain-http prov quiet regexp-list release-name render-subchart-notes
    replace reset-then-reuse-values reset-values reuse-values reverse rollback-on-failure short show-resources
    show-resources-desc sign skip-crds skip-refresh skip-schema-validation skip-tests strict subcharts superseded
    take-ownership template uninstalled uninstalling untar validate verify versions wait-for-jobs with-subcharts
    allow-deprecated regexp no-prov fail-on-warning
  `),
  optional: words("dry-run wait"),
  aliases: new Map([
    ["A", "all-namespaces"],
    ["a", "all"],
    ["d", "date"],
    ["f", "values"],
    ["g", "generate-name"],
    ["h", "help"],
    ["i", "install"],
    ["l", "selector"],
    ["m", "max"],
    ["n", "namespace"],
    ["o", "output"],
    ["p", "password"],
    ["q", "short"],
    ["r", "reverse"],
    ["s", "show-only"],
    ["u", "dependency-update"],
  ]),
};

const GROUPS: ReadonlyMap<string, string> = new Map([
  ["dependency", "dependency"],
  ["dep", "dependency"],
  ["dependencies", "dependency"],
  ["get", "get"],
  ["inspect", "show"],
  ["plugin", "plugin"],
  ["registry", "registry"],
  ["repo", "repo"],
  ["search", "search"],
  ["show", "show"],
  ["completion", "completion"],
]);

const ALIASES: ReadonlyMap<string, string> = new Map([
  ["del", "uninstall"],
  ["delete", "uninstall"],
  ["un", "uninstall"],
  ["fetch", "pull"],
  ["hist", "history"],
  ["ls", "list"],
  ["dependency ls", "dependency list"],
  ["dependency up", "dependency update"],
  ["plugin ls", "plugin list"],
  ["plugin add", "plugin install"],
  ["plugin rm", "plugin uninstall"],
  ["plugin remove", "plugin uninstall"],
  ["plugin up", "plugin update"],
  ["repo ls", "repo list"],
  ["repo rm", "repo remove"],
  ["repo up", "repo update"],
]);

type Rule = readonly [tier: Tier, reason: string];

/** Tiers of the tool's commands. */
export const HELM_COMMANDS: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...["bash", "fish", "powershell", "zsh"].map((shell): [string, Rule] => [
    `completion ${shell}`,
    ["observe", "prints a script"],
  ]),
  ["create", ["modify", "writes files"]],
  ["dependency build", ["modify", "writes files"]],
  ["dependency list", ["observe", "reads"]],
  ["dependency update", ["modify", "writes files"]],
  ["env", ["observe", "prints settings"]],
  ["get all", ["sensitive", "values and manifests may hold secrets"]],
  ["get hooks", ["sensitive", "manifests may hold secrets"]],
  ["get manifest", ["sensitive", "manifests may hold secrets"]],
  ["get metadata", ["observe", "reads"]],
  ["get notes", ["observe", "reads"]],
  ["get values", ["sensitive", "values may hold secrets"]],
  ["help", ["observe", "prints help"]],
  ["history", ["observe", "reads"]],
  ["install", ["modify", "creates a release"]],
  ["lint", ["observe", "checks files"]],
  ["list", ["observe", "lists releases"]],
  ["package", ["modify", "writes files"]],
  ["plugin install", ["sensitive", "installs a program"]],
  ["plugin list", ["observe", "reads"]],
  ["plugin package", ["modify", "writes files"]],
  ["plugin uninstall", ["sensitive", "removes a program"]],
  ["plugin update", ["sensitive", "installs a program"]],
  ["plugin verify", ["observe", "reads"]],
  ["pull", ["modify", "writes files"]],
  ["push", ["modify", "publishes a chart"]],
  ["registry login", ["sensitive", "stores a credential"]],
  ["registry logout", ["sensitive", "removes a credential"]],
  ["repo add", ["modify", "changes repositories"]],
  ["repo index", ["modify", "writes files"]],
  ["repo list", ["observe", "reads"]],
  ["repo remove", ["sensitive", "removes repositories"]],
  ["repo update", ["modify", "changes what is cached"]],
  ["rollback", ["modify", "changes a release"]],
  ["search hub", ["observe", "reads"]],
  ["search repo", ["observe", "reads"]],
  ...["all", "chart", "crds", "readme", "values"].map((part): [string, Rule] => [
    `show ${part}`,
    ["observe", "reads a chart"],
  ]),
  ["status", ["observe", "reads"]],
  ["template", ["observe", "renders files"]],
  ["test", ["modify", "runs pods"]],
  ["uninstall", ["sensitive", "deletes a release"]],
  ["upgrade", ["modify", "changes a release"]],
  ["verify", ["observe", "reads files"]],
  ["version", ["observe", "prints the version"]],
]);

/** Classifies a helm command line; argv[0] is helm. */
export function classifyHelmArgv(argv: readonly string[]): Classification {
  const read = readArgv(argv.slice(1), GRAMMAR);
  const command = commandOf(read);
  const namespace = lastValue(read, "namespace");
  const labels = namespace === undefined || namespace === "" ? {} : { namespace };
  if (isSwitchedOn(read, "help")) return answer(command, ["observe", "prints help"], {});
  const plain = answer(command, ruleOf(command, read), labels);
  if (read.flags.has("kube-as-user") || read.flags.has("kube-as-group"))
    return raisedToBreakGlass(plain, "--kube-as-user acts as somebody else");
  const [strange] = read.strange;
  if (strange === undefined || plain.tier === "unknown") return plain;
  // The next word may be the flag's value or an argument.
  return doubtful(plain, `helm has no flag '${strange}' that we know`);
}

/** The plain name of a command in whatever spelling; undefined for what is none. */
export function helmPlainName(words: readonly string[]): string | undefined {
  const name = commandOf({ words });
  return HELM_COMMANDS.has(name) && name.split(" ").length === words.length ? name : undefined;
}

function commandOf({ words: [first = "help", second] }: Pick<ReadArgv, "words">): string {
  const group = GROUPS.get(first);
  if (group === undefined) return ALIASES.get(first) ?? first;
  if (second === undefined) return "help";
  // `helm show` names its parts also by their old names.
  const named = `${group} ${second}`;
  return ALIASES.get(named) ?? named;
}

function ruleOf(command: string, read: ReadArgv): Rule | undefined {
  const rule = HELM_COMMANDS.get(command);
  if (rule === undefined) return undefined;
  const isDry = /^(?:install|upgrade|uninstall|rollback)$/.test(command) && isDryRun(read);
  // It runs in a dry run, too.
  if (read.flags.has("post-renderer") && (isDry || command === "template"))
    return ["modify", "--post-renderer runs a program"];
  if (isDry) return ["observe", "a dry run changes nothing"];
  return rule;
}

/** `--dry-run`, `--dry-run=client|server|true`; `none` and `false` are real. */
function isDryRun(read: ReadArgv): boolean {
  const value = lastValue(read, "dry-run");
  return value !== undefined && /^(?:|client|server|true|1|t)$/i.test(value);
}

function answer(
  command: string,
  rule: Rule | undefined,
  labels: Readonly<Record<string, string>>,
): Classification {
  if (rule === undefined)
    return unknownClassification("helm", `'${command}' may be a plugin`, { command, labels });
  return { protocol: "helm", tier: rule[0], command, aliases: [], labels, reason: rule[1] };
}
