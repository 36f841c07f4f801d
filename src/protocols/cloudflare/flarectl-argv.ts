// Command lines of flarectl. It reads flags like Go's flag package: one dash or two. Tiers follow
// from the verb; a command or flag that flarectl does not have is unknown.

import type { Classification } from "../../model/classification.ts";
import type { Tier } from "../../model/tier.ts";
import { type ArgvGrammar, isSwitchedOn, lastValue, type ReadArgv, readArgv } from "../argv.ts";
import { doubtful, unknownClassification } from "../unknown.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const GRAMMAR: ArgvGrammar = {
  singleDashLong: true,
  values: words(`
    account-id bind-file configuration content description files file groups hostname hosts id ip ip_range mode name
    notes organization plan prefixes prio priority scope-target scope_type tags target ttl type value zone zone-id
  `),
  switches: words("all everything h help json jumpstart no-jumpstart paused proxy v verbose version"),
};

const ALIASES: ReadonlyMap<string, string> = new Map([
  ["d", "dns"],
  ["f", "firewall"],
  ["ocrc", "origin-ca-root-cert"],
  ["p", "pagerules"],
  ["r", "railgun"],
  ["u", "user"],
  ["ua", "user-agents"],
  ["z", "zone"],
]);

/** First match counts; the subject is the command's words, joined by spaces. */
const RULES: readonly (readonly [pattern: RegExp, tier: Tier, reason: string])[] = [
  [/ (?:delete|d|purge)$/, "sensitive", "deletes or purges"],
  [/^(?:ips|help|h|origin-ca-root-cert)$/, "observe", "reads"],
  [/^user (?:info|i)$/, "observe", "reads"],
  [/^zone (?:list|l|info|i|check|settings|export|certs)$/, "observe", "reads"],
  [/^(?:dns|user-agents|pagerules|firewall rules|railgun) (?:list|l)$/, "observe", "reads"],
  [
    / (?:create|c|update|u|create-or-update|o|edit|lockdown|plan|keyless|dns|railgun)$/,
    "modify",
    "changes something",
  ],
];

/** Classifies a flarectl command line; argv[0] is the program. */
export function classifyFlarectlArgv(argv: readonly string[]): Classification {
  const read = readArgv(argv.slice(1), GRAMMAR);
  const command = commandOf(read);
  const labels: Record<string, string> = {};
  const account = lastValue(read, "account-id");
  const zone = lastValue(read, "zone") ?? lastValue(read, "zone-id");
  if (account !== undefined && account !== "") labels.account = account;
  if (zone !== undefined && zone !== "") labels.zone = zone;
  const isHelp = ["h", "help", "v", "version"].some((name) => isSwitchedOn(read, name));
  if (
    command === "" ||
    isHelp ||
    /^(?:user|zone|dns|user-agents|pagerules|firewall|firewall rules|railgun)$/.test(command)
  )
    return {
      protocol: "cloudflare",
      tier: "observe",
      command: command || "help",
      aliases: [],
      labels,
      reason: "prints help",
    };
  const rule = RULES.find(([pattern]) => pattern.test(command));
  if (rule === undefined)
    return unknownClassification("cloudflare", `flarectl has no command '${command}' that we know`, {
      command,
      labels,
    });
  const plain: Classification = {
    protocol: "cloudflare",
    tier: rule[1],
    command,
    aliases: [],
    labels,
    reason: rule[2],
  };
  const [strange] = read.strange;
  return strange === undefined ? plain : doubtful(plain, `flarectl has no flag '${strange}' that we know`);
}

/** Groups by their own name; words after the verb are arguments. */
function commandOf({ words: [first = "", second, third] }: ReadArgv): string {
  const group = ALIASES.get(first) ?? first;
  if (second === undefined || /^(?:ips|help|h|origin-ca-root-cert)$/.test(group)) return group;
  if (group === "firewall" && (second === "rules" || second === "r"))
    return third === undefined ? "firewall rules" : `firewall rules ${third}`;
  return `${group} ${second}`;
}
