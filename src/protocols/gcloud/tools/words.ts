// Finds the command in a gcloud command line: which words are groups, which is the verb,
// where names begin. gcloud's tree has thousands of commands and grows weekly, so there is
// no list of them: groups are nouns, commands are verbs, and the few words that are both
// are listed here. A name that looks like a verb (`delete get-iam-policy`) comes after it.

import { verbKind } from "../verbs.ts";

const set = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Commands directly below `gcloud`; every other first word is a group. */
const TOP_LEVEL = set("cheat-sheet docker feedback help info init interactive survey version");

/** Release tracks, which repeat the tree. */
const TRACKS = set("alpha beta preview");

/** Groups whose names look like commands. */
const GROUPS = set(`
  access-policies application-awareness backup-restore bulk config config-management enterprise-certificate-config
  import-jobs manage migrate-config os-config os-inventory os-login patch-deployments patch-jobs print-settings
  release-channel-settings resize-requests restore-channels restore-plan-bindings restore-plans scan-configs scan-runs
  snapshot-settings troubleshoot-policy`);

/** Words that are groups below these others, and commands elsewhere. */
const GROUP_BELOW: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["compose", set("run")],
  ["configure", set("registrations application-awareness")],
  ["debug", set("mesh")],
  ["deploy", set("fleet")],
  ["diagnose", set("compute")],
  ["local", set("ai-platform functions")],
  ["migrate", set("app spanner")],
  ["simulate", set("policy-intelligence")],
  ["test", set("firebase")],
  ["translate", set("ml")],
  ["upgrade", set("docker")],
]);

/** Commands that are nouns: taken only where no verb is found. */
const NOUN_COMMANDS = set(`
  addnodes apt auth-info backend bug-report calendar-mode cli compute connection-string contacts
  cron-xml-to-yaml data database-failover datastore-indexes-xml-to-yaml dev dispatch-xml-to-yaml dns docker-helper
  git-helper gradle iam management metrics mvn npm orgpolicy post-process python queue-xml-to-yaml removenodes routes
  schema schema-and-data service-agent setup token up version web workload yum`);

/** Commands that are no verbs of the REST API. */
const OWN_VERBS = set(`
  access ack ack-up-to allow alter-table-properties auto-remediate browse build cat clean-up config-helper config-ssh cp
  deauthorize diff du enforce enforce-all env-init env-set env-unset evaluate evaluate-and-sign evaluate-user-consents
  gen-config gen-repo-info-file gen1-to-gen2 hash inherit install-status is-upgradeable kill local-run login ls mac-verify
  monitor mv open-console os-upgrade point-in-time-restore print-access-token print-iam-policy print-identity-token
  print-refresh-token proxy proxy-config proxy-status raw-encrypt raw-predict reboot redeploy reimage reinstall render replay-recent-access resolve rm
  rsync sanitize-model-response sanitize-user-prompt scan scp ssh stage status stream-logs test-enabled test-ip unlock
  unmanage vet watch`);

/** The words of a command as far as they are known. */
export interface CommandWords {
  /** Groups and verb without the release track: `compute`, `instances`, `create`. */
  readonly words: readonly string[];
  /** Names and types that follow the verb. */
  readonly names: readonly string[];
}

/** Splits the words of a command line; undefined when no verb can be found. */
export function commandWords(given: readonly string[]): CommandWords | undefined {
  const words = TRACKS.has(given[0] ?? "") ? given.slice(1) : given;
  const first = words[0];
  if (first === undefined) return undefined;
  if (TOP_LEVEL.has(first)) return { words: [first], names: words.slice(1) };
  for (let at = 1; at < words.length; at++)
    if (isVerb(words[at] ?? "", words[at - 1] ?? ""))
      return { words: words.slice(0, at + 1), names: words.slice(at + 1) };
  const noun = words.findIndex((word, at) => at > 0 && NOUN_COMMANDS.has(word));
  return noun < 0 ? undefined : { words: words.slice(0, noun + 1), names: words.slice(noun + 1) };
}

function isVerb(word: string, before: string): boolean {
  const below = GROUP_BELOW.get(word);
  if (below !== undefined ? below.has(before) : GROUPS.has(word)) return false;
  if (OWN_VERBS.has(word)) return true;
  if (verbKind(camelCase(word)) === undefined) return false;
  // `restore-plans` and `ssh-keys` are things, `list-nodes` and `add-labels` are not.
  return !/-.*s$/.test(word) || TRANSITIVE.test(word);
}

/** Verbs that take plural nouns. */
const TRANSITIVE =
  /^(?:abandon|add|analyze|apply|check|clone|configure|copy|create|delete|describe|detect|disable|enable|evaluate|export|fetch|find|get|import|inject|insert|list|mark|move|perform|query|recreate|remove|replace|request|resume|retry|search|set|show|start|stop|stream|suspend|test|undeploy|unset|update|upload|upsert|validate|cancel|detach|attach|print|ignore|read|tail|download|patch|promote|reset|rotate|acquire|release|suggest|modify|change|append|send|sign|generate|run|wait|restore(?=-backup-files)|enforce|load)-/;

/** `get-iam-policy` to `getIamPolicy`. */
export function camelCase(word: string): string {
  return word.replace(/-+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
