// Command lines of fly and flyctl. The command is the words up to the first that is no group; later
// words are arguments. Which command has which tier is commands.ts's.

import type { Classification } from "../../model/classification.ts";
import { type ArgvGrammar, isSwitchedOn, lastValue, type ReadArgv, readArgv } from "../argv.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { FLY_GROUPS, type FlyRule, flyPath, flyRule } from "./commands.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const GRAMMAR: ArgvGrammar = {
  values: words(`
    C access-token address app autoscale-max autostop-machines backup-name bind-addr bind-port bluegreen-wait
    body build-arg build-secret build-target buildkit-addr buildpacks-docker-host buildpacks-volume builder cluster
    cluster-id command compression compression-level config container copy-config-from cpu-kind cpus database
    database-name deploy-retries dockerfile dockerignore-file email engine entrypoint env environment-variable-name
    eviction exclude-machines exclude-regions expiry file-literal file-local file-secret flycast-name fork-from from
    from-snapshot generate-name-prefix group host-dedication-id host-dedication-ids hostname ignorefile image
    image-label image-ref immediate-max-concurrent initial-cluster-size instance internal-port kernel-arg label
    lease-timeout local-name machine machine-config max-concurrent max-connections max-per-region max-unavailable
    max-wal-senders memory metadata mount-point name network only-machines only-regions org owner password
    pgversion pitr-target-time plan port postgres-app primary-region private-key process-group process-groups
    provider record region regions release-command-timeout replica-regions replicas restart restore-app
    restore-target-app role rootfs-size scheduled-snapshots schedule secret server-name service shell-user signal size
    skip-machines snapshot-id snapshot-retention source stateless-size statement-timeout static-host-dir state strategy
    superuser-name target target-db-size target-db-user target-time time timeout token type update-strategy use-kernel
    user username variable-name vm-cpu-kind vm-cpus vm-gpu-kind vm-gpus vm-memory vm-size volume volume-initial-size
    volume-size volumes wait-timeout wal-level websockets-mode
  `),
  switches: words(`
    T active-only agent all all-regions allow-public archive as-json attach auto-confirm auto-extend-size
    autostart autostop build-only buildkit confirm create-only debug deploy depot detach detailed detailed-exit-code dig-short
    disable-plugins dns-checks enable-backups export-manifest file-secrets-only flycast follow force force-machines
    force-nomad generate-name github-actions ha help https-only into-org internal json keep-alive local local-only
    nixpacks no-cache no-config no-create no-db no-deploy no-extensions no-github-workflow no-object-storage no-public-ips
    no-redis no-tail now only-snapshots open plan-only private provision-extensions pty push quiet recreate-builder
    reset-remote-builder remote-only require-unique-zone rm s select shared shell show-secrets skip-dns-registration
    skip-health-checks skip-launch skip-release-command skip-start smoke-checks stage standalone stdin strict verbose
    verify-config vscode wait watch with-new-volumes without-volumes wg yes
  `),
  aliases: new Map([
    ["a", "app"],
    ["c", "config"],
    ["e", "env"],
    ["h", "help"],
    ["i", "image"],
    ["j", "json"],
    ["n", "name"],
    ["o", "org"],
    ["p", "port"],
    ["q", "quiet"],
    ["r", "region"],
    ["t", "access-token"],
    ["u", "user"],
    ["v", "volume"],
    ["x", "name"],
    ["y", "yes"],
  ]),
};

/** Classifies a flyctl command line; argv[0] is the program. */
export function classifyFlyArgv(argv: readonly string[]): Classification {
  const read = readArgv(argv.slice(1), GRAMMAR);
  const path = flyPath(read.words).join(" ");
  const labels: Record<string, string> = {};
  const app = lastValue(read, "app");
  const org = lastValue(read, "org");
  if (app !== undefined && app !== "") labels.app = app;
  if (org !== undefined && org !== "") labels.org = org;
  const plain = answer(path, ruleOf(path, read), labels);
  if (plain.tier === "unknown" || plain.tier === "break-glass") return plain;
  const [strange] = read.strange;
  // The next word may be the flag's value or a command.
  return strange === undefined ? plain : doubtful(plain, `flyctl has no flag '${strange}' that we know`);
}

function ruleOf(path: string, read: ReadArgv): FlyRule | undefined {
  if (path === "" || isSwitchedOn(read, "help")) return ["observe", "prints help"];
  if (path === "machine run" && isSwitchedOn(read, "shell"))
    return ["break-glass", "--shell opens a shell in a machine"];
  const rule = flyRule(path);
  // A group alone prints its help, except those that are commands too.
  if (rule === undefined && path.split(" ").every((word) => FLY_GROUPS.has(word)))
    return ["observe", "prints help"];
  return rule;
}

function answer(
  path: string,
  rule: FlyRule | undefined,
  labels: Readonly<Record<string, string>>,
): Classification {
  const command = path === "" ? "help" : path;
  if (rule === undefined)
    return unknownClassification("fly", `flyctl has no command '${command}' that we know`, {
      command,
      labels,
    });
  // As the manual writes it: `machines api-proxy`.
  const aliases = command.startsWith("machine ") ? [command.replace("machine ", "machines ")] : [];
  return { protocol: "fly", tier: rule[0], command, aliases, labels, reason: rule[1] };
}
