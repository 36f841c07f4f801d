// kubectl's flags: which take the next word and which do not, where the same letter means two
// things depending on the command. Taken from the help of kubectl 1.32, with the flags of older and
// newer releases added. Says nothing about the effect of a flag.

import type { ArgvGrammar } from "../argv.ts";

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/).filter((word) => word !== ""));
}

const VALUES = words(`
  accept-hosts accept-paths address aggregation-rule annotation annotations api-group api-prefix api-version as as-group
  as-uid as-user-extra audience auth-provider auth-provider-arg bound-object-kind bound-object-name bound-object-uid
  cache-dir categories certificate-authority chunk-size class client-certificate client-key cluster cluster-ip
  clusterrole concurrency container containers context copy-to cpu cpu-percent current-replicas custom default-backend
  description docker-email docker-password docker-server docker-username duration env exec-api-version exec-arg
  exec-command exec-env exec-interactive-mode external-ip external-name field-manager field-selector filename for from
  from-env-file from-file from-literal generator grace-period group hard helm-api-versions helm-command
  helm-kube-version hostport image image-pull-policy keepalive key cert keys kubeconfig kuberc kustomize label-columns
  labels limit-bytes limits load-balancer-ip load-restrictor log-dir log-file log-flush-frequency max max-log-requests
  max-unavailable memory min min-available mount name namespace namespaces network-name node-port non-resource-url
  output output-directory override-type overrides password patch patch-file pod pod-running-timeout pod-selector port
  prefix preemption-policy profile profile-output protocol proxy-url prune-allowlist prune-whitelist raw reject-methods
  reject-paths replicas request-timeout requests resource resource-name resource-version restart retries revision role
  rule schedule scopes selector server serviceaccount session-affinity set-image since since-time
  skip-wait-for-delete-timeout sort-by stderrthreshold subresource tail target target-port tcp template timeout
  tls-server-name to-revision token type types unix-socket user username v value verb verbs vmodule www www-prefix
  use filter level
`);

const SWITCHES = words(`
  add-dir-header all all-containers all-namespaces all-pods allow-missing-template-keys alsologtostderr append-hash
  append-server-path arguments-only as-current-user attach cached client command create-annotation current
  delete-emptydir-data delete-local-data detach-keys disable-compression disable-eviction disable-filter edit embed-certs
  enable-alpha-plugins enable-helm exec-provide-cluster-info export expose flatten follow force force-conflicts
  global-default help helm-debug ignore-daemonsets ignore-errors ignore-not-found include-uninitialized
  insecure-skip-tls-verify insecure-skip-tls-verify-backend interactive keep-annotations keep-init-containers
  keep-labels keep-liveness keep-readiness keep-startup leave-stdin-open list local logtostderr match-server-version
  merge minify name-only namespaced network no-headers no-preserve now openapi-patch output-patch output-watch-events
  overwrite previous privileged prune quiet record recursive remove-extra-permissions remove-extra-subjects replace
  resolve rm same-node save-config server-dry-run server-print server-side set-raw-bytes share-processes short
  show-all show-capacity show-events show-kind show-labels show-managed-fields show-swap skip-headers stdin sum
  timestamps tty use-openapi-print-columns use-protocol-buffers wait warnings-as-errors watch watch-only
  windows-line-endings
`);

/** Written with `=` or not at all: `--dry-run client` is a bare flag and a word. */
const OPTIONAL = words("cascade dry-run validate");

const SHORT: readonly (readonly [string, string])[] = [
  ["A", "all-namespaces"],
  ["L", "label-columns"],
  ["P", "www-prefix"],
  ["R", "recursive"],
  ["c", "container"],
  ["e", "env"],
  ["f", "filename"],
  ["h", "help"],
  ["i", "stdin"],
  ["k", "kustomize"],
  ["l", "selector"],
  ["n", "namespace"],
  ["o", "output"],
  ["p", "patch"],
  ["q", "quiet"],
  ["r", "replicas"],
  ["s", "server"],
  ["t", "tty"],
  ["u", "unix-socket"],
  ["w", "watch"],
];

interface Peculiarity {
  readonly short?: readonly (readonly [string, string])[];
  readonly switches?: readonly string[];
}

/** Commands in which a letter or a name means something else than everywhere else. */
const PECULIAR: ReadonlyMap<string, Peculiarity> = new Map<string, Peculiarity>([
  [
    "logs",
    {
      short: [
        ["f", "follow"],
        ["p", "previous"],
      ],
      switches: ["prefix"],
    },
  ],
  [
    "proxy",
    {
      short: [
        ["p", "port"],
        ["w", "www"],
      ],
    },
  ],
  ["exec", { short: [["p", "pod"]] }],
  ["port-forward", { short: [["p", "pod"]] }],
  [
    "run",
    {
      short: [
        ["l", "labels"],
        ["r", "replicas"],
      ],
    },
  ],
  ["expose", { short: [["l", "labels"]] }],
  ["set", { short: [["c", "containers"]] }],
  ["delete", { short: [["i", "interactive"]] }],
  ["top", { switches: ["containers"] }],
  ["config", { switches: ["raw"] }],
]);

const GRAMMARS = new Map<string, ArgvGrammar>();

/** The grammar of one kubectl command, by its first word. */
export function kubectlGrammar(command: string): ArgvGrammar {
  const key = PECULIAR.has(command) ? command : "";
  const cached = GRAMMARS.get(key);
  if (cached !== undefined) return cached;
  const { short = [], switches = [] } = PECULIAR.get(key) ?? {};
  const grammar: ArgvGrammar = {
    values: new Set([...VALUES].filter((name) => !switches.includes(name))),
    switches: new Set([...SWITCHES, ...switches]),
    optional: OPTIONAL,
    aliases: new Map([...SHORT, ...short]),
  };
  GRAMMARS.set(key, grammar);
  return grammar;
}

/** Switches that kubectl accepts before its command. */
const GLOBAL_SWITCHES = words(`
  add-dir-header alsologtostderr disable-compression help insecure-skip-tls-verify logtostderr match-server-version
  skip-headers warnings-as-errors h
`);

/**
 * The words of a command line up to `--`, as cobra finds the command among them: before a command is
 * known, every flag that is not a global switch takes the next word, `-o yaml get` as much as `-n x get`.
 */
export function kubectlWords(args: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") break;
    if (!arg.startsWith("-") || arg === "-") found.push(arg);
    else if (!arg.includes("=")) {
      const isLong = arg.startsWith("--");
      if ((isLong || arg.length === 2) && !GLOBAL_SWITCHES.has(arg.slice(isLong ? 2 : 1))) i++;
    }
  }
  return found;
}
