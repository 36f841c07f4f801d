// flyctl's commands: groups, their other names, and the tier of each command by its verb, with
// exceptions by path. Read from flyctl's own documentation. A verb or group that is not here is
// unknown to the classifier.

import type { Tier } from "../../model/tier.ts";

/** A tier with the clause that says why. */
export type FlyRule = readonly [tier: Tier, reason: string];

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Words that only lead to other commands, wherever they stand. */
export const FLY_GROUPS: ReadonlySet<string> = words(`
  3p agent analytics apps arcjet auth autoupdate backup barman certs checks clusters config consul
  cross-network-replays databases db dns-records domains doctor egress-ip enveloop events extensions fluxnow hosts image
  incidents ips jobs kafka keys kubernetes leases litefs-cloud machine mcp metrics mpg mysql orgs platform postgres
  redis regions replay-sources sagemaker scale secrets sentry services settings sftp snapshots ssh storage supabase synthetics
  tigris tokens token users vector version volumes wafris wireguard
`);

/** Other names of groups and of verbs. */
export const FLY_ALIASES: ReadonlyMap<string, string> = new Map([
  ["app", "apps"],
  ["cert", "certs"],
  ["certificate", "certs"],
  ["certificates", "certs"],
  ["database", "databases"],
  ["backups", "backup"],
  ["ext", "extensions"],
  ["extension", "extensions"],
  ["images", "image"],
  ["incident", "incidents"],
  ["ip", "ips"],
  ["job", "jobs"],
  ["k8s", "kubernetes"],
  ["lease", "leases"],
  ["m", "machine"],
  ["machines", "machine"],
  ["managed-postgres", "mpg"],
  ["org", "orgs"],
  ["pg", "postgres"],
  ["secret", "secrets"],
  ["service", "services"],
  ["snapshot", "snapshots"],
  ["snaps", "snapshots"],
  ["storages", "storage"],
  ["user", "users"],
  ["vol", "volumes"],
  ["volume", "volumes"],
  ["wg", "wireguard"],
  ["ls", "list"],
  ["rm", "remove"],
]);

/** First match counts; the subject is the path of groups and verb, joined by spaces. */
const RULES: readonly (readonly [pattern: RegExp, tier: Tier, reason: string])[] = [
  [/^(?:help|completion|docs|version)$/, "observe", "prints text"],
  // Shells and tunnels, before the verbs: whatever follows runs inside.
  [/^(?:ssh|sftp) /, "break-glass", "opens a shell in a machine or copies its files"],
  [/(?:^| )(?:console|proxy|connect|exec|api-proxy|kubectl)$/, "break-glass", "opens a way into a machine"],
  [
    /^wireguard (?:(?:token )?(?:create|start|update|reset)|websockets)$/,
    "break-glass",
    "opens a private network",
  ],
  [/^(?:litefs-cloud )?tokens (?:3p )?(?:create|attenuate|add)$/, "break-glass", "issues a credential"],
  [/^orgs invite$|(?:^| )users (?:create|set-role|update)$/, "break-glass", "grants access"],
  [/^postgres renew-(?:ssh-)?certs$/, "break-glass", "issues a certificate"],
  [/^tokens list$|^wireguard token list$|^secrets (?:keys )?list$/, "observe", "lists names"],
  [/^(?:tokens|secrets) /, "sensitive", "handles credentials"],
  [/^auth (?:login|logout|signup|token|docker)$/, "sensitive", "handles a credential"],
  [/^redis status$/, "sensitive", "shows a link with the password"],
  [/^mpg status$/, "sensitive", "asks for an answer that holds the password"],
  [/ save-kubeconfig$/, "sensitive", "writes a credential"],
  [
    /(?:^| )(?:destroy|delete|remove|release|release-egress|detach|unset|revoke|clear|kill|purge)$/,
    "sensitive",
    "destroys or takes away",
  ],
  [/^litefs-cloud (?:clusters )?download$/, "sensitive", "copies a database"],
  [
    /(?:^| )(?:list|show|status|info|view|logs|errors|releases|history|private|place|plans|regions|vm-sizes|whoami|display)$/,
    "observe",
    "reads",
  ],
  [/^(?:config (?:env|validate)|jobs|doctor|services|checks|monitor|builds|info)$/, "observe", "reads"],
  [/(?:^| )(?:list-backup|list-backups|show-backup|dashboard|open)$|^dashboard metrics$/, "observe", "reads"],
  [
    /(?:^| )(?:allocate|allocate-egress|allocate-v4|allocate-v6|add|attach|backup|balance|check|clone|cordon|count|create|deploy|diag|dig|disable|eject|enable|extend|export|failover|find-and-update|fork|generate|import|init-state|inspect|launch|link|logout|memory|migrate-to-v2|migrate-to-v3|move|nomad-to-machines|pause|ping|plan|promote|propose|recover|register|renew|reset|restart|restore|resume|revive|run|save|save-install|scale|send|set|setup|start|stop|suspend|switch-wal|sync|uncordon|unlink|update|upgrade|vm|wait|wrap|server|agent|set-platform-version|autoscale|curl|transfer|finalize|sessions|set-plan|upgrade-plan|promote-egress)$/,
    "modify",
    "changes something",
  ],
];

/** Groups by their own name, then the verb: `m list` is `machine list`. What follows the verb is left out. */
export function flyPath(words: readonly string[]): readonly string[] {
  const path: string[] = [];
  for (const word of words) {
    const name = FLY_ALIASES.get(word) ?? word;
    path.push(name);
    if (!FLY_GROUPS.has(name)) break;
  }
  return path;
}

/** The plain name of a command; undefined for what is none, or holds more than the command. */
export function flyPlainName(words: readonly string[]): string | undefined {
  const path = flyPath(words);
  const name = path.join(" ");
  return path.length === words.length && flyRule(name) !== undefined ? name : undefined;
}

/** The rule for a path of groups and a verb; undefined for a command that nobody documented. */
export function flyRule(path: string): FlyRule | undefined {
  const rule = RULES.find(([pattern]) => pattern.test(path));
  return rule === undefined ? undefined : [rule[1], rule[2]];
}
