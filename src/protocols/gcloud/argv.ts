// Command lines of gcloud: flags, words, labels and the tier of a command. gcloud takes flags
// anywhere; before the command only the global ones can stand, so those are all that must be known
// to find it. verbs.ts knows the effect of a verb; rules here are about things that only the
// command line has: local state, shells, credentials that it prints.

import type { Classification } from "../../model/classification.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { sqlFinding, TELLING_METADATA } from "./body.ts";
import { PLACE_FLAGS, withPlaces } from "./labels.ts";
import { type RuledTier, ruled } from "./tier.ts";
import { camelCase, commandWords } from "./tools/words.ts";
import { verbKind } from "./verbs.ts";

/** Global flags that take the next word. */
const GLOBAL_VALUES: ReadonlySet<string> = new Set([
  "--access-token-file",
  "--account",
  "--authority-selector",
  "--authorization-token-file",
  "--billing-project",
  "--capture-session-file",
  "--configuration",
  "--credential-file-override",
  "--filter",
  "--flags-file",
  "--flatten",
  "--format",
  "--http-timeout",
  "--impersonate-service-account",
  "--limit",
  "--location",
  "--organization",
  "--folder",
  "--page-size",
  "--project",
  "--region",
  "--sort-by",
  "--trace-email",
  "--trace-log",
  "--trace-token",
  "--universe-domain",
  "--verbosity",
  "--zone",
]);

/** Global flags without a value. */
const GLOBAL_SWITCHES =
  /^(?:-q|-h|-v|--(?:no-)?(?:quiet|help|version|log-http|user-output-enabled|async|uri))$/;

interface ReadLine {
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
  /** A flag before the command of which nobody knows whether it takes the next word. */
  readonly strange: string | undefined;
}

/** Classifies the words after `gcloud`. */
export function classifyGcloudArgv(args: readonly string[]): Classification {
  const line = readLine(args);
  const labels = labelsOf(line);
  const found = commandWords(line.words);
  const command = found?.words.join(" ") ?? "";
  const answer = (tier: RuledTier): Classification => ({
    protocol: "gcloud",
    tier: tier.tier,
    command,
    aliases: [],
    labels: found === undefined ? labels : withTarget(found.words, found.names, labels),
    reason: tier.rule,
  });
  const { flags } = line;
  if (flags.has("--help") || flags.has("-h")) return answer(ruled("observe", "prints help"));
  if (line.words.length === 0) return answer(ruled("observe", "prints help or its version"));
  if (line.strange !== undefined)
    return unknownClassification("gcloud", `unknown flag '${line.strange}' before the command`, { labels });
  if (found === undefined)
    return unknownClassification("gcloud", "no command found in these words", { labels });
  const tier =
    metadataTier(found.words, args) ??
    sqlTier(found.words, args) ??
    argvTier(found.words, found.names, flags);
  if (flags.has("--impersonate-service-account"))
    return answer(ruled("break-glass", "acts as a service account, whose token it asks for"));
  if (flags.has("--flags-file")) return doubtful(answer(tier), "more flags are in a file");
  return answer(tier);
}

/** Keys and scripts in the metadata of machines that exist; a flag may be written in several ways, so any word counts. */
function metadataTier(words: readonly string[], args: readonly string[]): RuledTier | undefined {
  if (words[0] !== "compute" || !/^(?:add|set)-metadata$/.test(words.at(-1) ?? "")) return undefined;
  return args.some((arg) => TELLING_METADATA.test(arg))
    ? ruled("break-glass", "changes who may log in to a machine, or what it runs")
    : undefined;
}

/** SQL in the words of a command that runs some. */
function sqlTier(words: readonly string[], args: readonly string[]): RuledTier | undefined {
  if (!/(?:^| )(?:execute-sql|databases ddl update)$/.test(words.join(" "))) return undefined;
  let strictest: RuledTier | undefined;
  for (const arg of args) {
    const found = words.includes(arg) ? undefined : sqlFinding(arg.replace(/^--[\w-]+=?/, ""));
    if (found?.tier === "break-glass") return ruled(found.tier, found.reason);
    if (found !== undefined) strictest = ruled(found.tier, found.reason);
  }
  return strictest;
}

function readLine(args: readonly string[]): ReadLine {
  const words: string[] = [];
  const flags = new Map<string, string>();
  let strange: string | undefined;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--") break;
    if (arg === "-" || !arg.startsWith("-")) {
      words.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = equals < 0 ? arg : arg.slice(0, equals);
    if (equals >= 0) flags.set(name, arg.slice(equals + 1));
    else if (GLOBAL_VALUES.has(name)) flags.set(name, args[++at] ?? "");
    else {
      flags.set(name, "");
      // After the command a stray value only looks like one more name, which does no harm.
      if (!GLOBAL_SWITCHES.test(name) && commandWords(words) === undefined) strange ??= name;
    }
  }
  return { words, flags, strange };
}

function labelsOf({ flags }: ReadLine): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [flag, label] of PLACE_FLAGS) {
    // gcloud takes whole URLs of zones and regions too.
    const value = flags.get(flag)?.split("/").at(-1);
    if (value !== undefined && value !== "") labels[label] = value;
  }
  return withPlaces(labels);
}

/** `projects delete NAME` acts on the project that it names, unless `--project` says otherwise. */
function withTarget(
  words: readonly string[],
  names: readonly string[],
  labels: Record<string, string>,
): Record<string, string> {
  const label =
    words.length === 2 ? { projects: "project", organizations: "organization" }[words[0] ?? ""] : undefined;
  const name = names[0];
  return label === undefined || name === undefined || name === "" || label in labels
    ? labels
    : { ...labels, [label]: name };
}

const SHELLS =
  /(?:^| )(?:ssh|scp|copy-files|start-iap-tunnel|start-tcp-tunnel|connect-to-serial-port|ssh-troubleshoot|sql connect|spanner cli|app instances enable-debug)$/;

/** Commands that touch nothing but this machine, or only read it. */
const LOCAL_READS =
  /^(?:cheat-sheet|feedback|help|info|survey|version|(?:config|config configurations) (?:list|get|get-value|describe)|auth list|components list|topic .*|.* (?:browse|open-console|print-iam-policy))$/;

function argvTier(
  words: readonly string[],
  names: readonly string[],
  flags: ReadonlyMap<string, string>,
): RuledTier {
  const command = words.join(" ");
  const verb = words.at(-1) ?? "";
  const group = words[0] ?? "";
  if (LOCAL_READS.test(command)) return ruled("observe", "reads what this machine knows");
  if (SHELLS.test(command)) return ruled("break-glass", "opens a shell or tunnel to a machine");
  if (/^interactive$/.test(command)) return ruled("unknown", "runs commands that are typed later");
  return (
    credentialTier(command, verb) ??
    groupTier(group, words, flags) ??
    storageTier(command, flags) ??
    verbTier(command, camelCase(verb), [...words.slice(0, -1), ...names])
  );
}

function credentialTier(command: string, verb: string): RuledTier | undefined {
  if (
    /^(?:add|set|remove|replace|update)-.*(?:iam|invoker)-policy(?:-binding)?$|-(?:acl|acl-entry)$/.test(verb)
  )
    return ruled("break-glass", "changes who has access");
  if (/^print-(?:access|identity|refresh)-token$/.test(verb))
    return ruled("break-glass", "prints a credential");
  if (/(?:^| )auth .*(?:config-helper|docker-helper|git-helper)$|^config config-helper$/.test(command))
    return ruled("break-glass", "prints a credential");
  if (
    /^auth (?:.* )?(?:login|activate-service-account|activate-refresh-token|application-default login)$/.test(
      command,
    )
  )
    return ruled("modify", "changes the credentials on this machine");
  if (verb === "get-credentials") return ruled("sensitive", "fetches a cluster's credentials");
  if (
    /^(?:reset-windows-password|generate-login-token|fetch-read-token|fetch-read-write-token|sign-ssh-public-key)$/.test(
      verb,
    )
  )
    return ruled("break-glass", "issues a credential");
  if (/(?:^| )users (?:create|set-password)$/.test(command))
    return ruled("break-glass", "creates or changes a login");
  if (/(?:api-keys|hmac|hmac-keys|ssh-keys|ssl client-certs) create$|os-login ssh-keys /.test(command))
    return ruled(/ (?:list|describe)$/.test(command) ? "observe" : "break-glass", "issues or changes a key");
  return undefined;
}

function groupTier(
  group: string,
  words: readonly string[],
  flags: ReadonlyMap<string, string>,
): RuledTier | undefined {
  const verb = words.at(-1) ?? "";
  const kind = verbKind(camelCase(verb));
  const isRead = kind === "read" || kind === "evaluate";
  if (group === "secrets") {
    if (verb === "access") return ruled("sensitive", "reads a secret");
    if (/^(?:list|describe|get-iam-policy)$/.test(verb)) return ruled("observe", "reads about secrets");
    return ruled("sensitive", "changes a secret");
  }
  if (isRead) return undefined;
  if (group === "iam") return ruled("break-glass", "changes identities or roles");
  if (group === "pam" && words.includes("grants") && !/^(?:deny|withdraw|revoke)$/.test(verb))
    return ruled("break-glass", "asks for or approves privileged access");
  if (group === "pam" && verb !== "export") return ruled("break-glass", "defines privileged access");
  if (group === "remote-build-execution" && /-binding$/.test(verb))
    return ruled("break-glass", "changes who has access");
  if (group === "org-policies") return ruled("sensitive", "changes what the organization forbids");
  if (
    group === "kms" &&
    /^(?:decrypt|raw-decrypt|asymmetric-decrypt|asymmetric-sign|mac-sign|decapsulate)$/.test(verb)
  )
    return ruled("sensitive", "uses a key");
  if (
    group === "ml" &&
    /^(?:analyze|classify|detect|recognize|translate|transcribe)-/.test(`${verb}-`) &&
    !flags.has("--async")
  )
    return ruled("modify", "runs a model");
  return undefined;
}

function storageTier(command: string, flags: ReadonlyMap<string, string>): RuledTier | undefined {
  if (!command.startsWith("storage ")) return undefined;
  for (const [flag, value] of flags)
    if (/acl|public-access/.test(flag) && !/^(?:private|projectPrivate|bucketOwner\w+)$/.test(value))
      return ruled(
        / (?:ls|list|cat|describe|du)$/.test(command) ? "observe" : "break-glass",
        "changes who has access",
      );
  if (/ (?:ls|cat|du|hash|service-agent)$/.test(command)) return ruled("observe", "reads");
  if (/ rm$/.test(command)) return ruled("sensitive", "deletes");
  if (/ rsync$/.test(command) && flags.has("--delete-unmatched-destination-objects"))
    return ruled("sensitive", "deletes what is not in the source");
  return / sign-url$/.test(command) ? ruled("sensitive", "issues a link that opens an object") : undefined;
}

/** Verbs of the command line that the REST API does not have. */
const READ_VERBS =
  /^(?:browse|cat|diff|du|hash|inspect|log|ls|printSettings|read|status|streamLogs|tail|testEnabled|testIp|version|watch|monitor|render|vet|isUpgradeable|installStatus|resolve|connectionString|metrics|data|schema|proxyConfig|proxyStatus|scan|replayRecentAccess|preview|iam|orgpolicy|routes|calendarMode|serviceAgent|compute|evaluate|lintCondition)$/;

/** Commands that delete although their verbs say less. */
const DELETING =
  / (?:remove|untag|unregister|unmanage|deactivate-zone|remove-(?:named-set|route-policy(?:-term)?|.*-bindings?|.*-polic(?:y|ies)))$|^runtime-config .*unset$|^domains registrations export$|^(?:microservices features|container fleet memberships support-access) disable$/;

/** Commands that start jobs although their verbs are those of reads. */
const WRITING = /^(?:dlp datasources .* (?:inspect|analyze)|dialogflow agent query)$/;

function verbTier(command: string, verb: string, around: readonly string[]): RuledTier {
  if (/^(?:access)$/.test(verb)) return ruled("sensitive", "reads content that is kept apart");
  if (/^(?:getKeyString|getAuthString|authInfo|showPassword)$/.test(verb))
    return ruled("sensitive", "reads a secret");
  const kind = verbKind(verb);
  if (kind === "delete" || /^(?:rm|kill|deleteNow|cleanup|cleanUp|abandon|removenodes)$/.test(verb))
    return ruled("sensitive", "deletes");
  if (DELETING.test(command)) return ruled("sensitive", "deletes");
  if (WRITING.test(command)) return ruled("modify", "starts a job");
  if (READ_VERBS.test(verb)) return ruled("observe", "reads");
  switch (kind) {
    case "read":
    case "evaluate":
      return ruled("observe", "reads");
    case "infer":
      return ruled("observe", "model inference");
    case "policy":
      return ruled("break-glass", "changes who has access");
    case "credential":
      return ruled("break-glass", "issues a credential");
    case "secret":
    case "access":
      return ruled("sensitive", "hands out a secret or changes who may do what");
    default:
      return around.length > 0 ? ruled("modify", "changes something") : ruled("unknown", "no such command");
  }
}
