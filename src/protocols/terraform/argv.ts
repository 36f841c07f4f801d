// Command lines of terraform and tofu. They read flags like Go's flag package: one dash or two, and
// a value of a flag that is no switch may be the next word. Tiers are of the command, raised by the
// flags that make another operation of it (`apply -destroy`), lowered by none but those that change
// nothing (`state rm -dry-run`).

import type { Classification } from "../../model/classification.ts";
import type { Tier } from "../../model/tier.ts";
import { type ArgvGrammar, isSwitchedOn, programName, type ReadArgv, readArgv } from "../argv.ts";
import { doubtful, unknownClassification } from "../unknown.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const GRAMMAR: ArgvGrammar = {
  singleDashLong: true,
  values: words(`
    backend-config backup backup-out chdir cloud-run config deployment encryption exclude exclude-file filter fs-mirror
    from-module generate-config-out id junit-xml lock-timeout lockfile module-depth net-mirror operation-parallelism
    organization out parallelism plan platform plugin-dir query replace schema-version show-sensitive-file state
    state-out target target-file test-directory type use var var-file
  `),
  switches: words(`
    allow-missing allow-missing-config auto-approve backend check compact-warnings concise consolidate-errors
    consolidate-warnings deprecation destroy detailed-exitcode diff draw-cycles dry-run enable-plugin-cache force
    force-copy get h help ignore-remote-version input json list lock lock-file migrate-state no-color no-tests raw
    reconfigure recursive refresh refresh-only show-sensitive suppress-forget-errors update upgrade v verbose version
    view-type write
  `),
};

/** Commands of two words; after them come arguments. */
const GROUPS = words("env metadata providers state workspace stacks cloud");

type Rule = readonly [tier: Tier, reason: string];

/** Tiers of the tool's commands. */
export const TERRAFORM_COMMANDS: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["apply", ["modify", "changes infrastructure"]],
  ["cat", ["observe", "prints a banner"]],
  ["console", ["sensitive", "evaluates anything on the state, secrets included"]],
  ["destroy", ["break-glass", "tears infrastructure down"]],
  ["env", ["observe", "lists workspaces"]],
  ["env delete", ["sensitive", "deletes a workspace"]],
  ["env list", ["observe", "lists workspaces"]],
  ["env new", ["modify", "creates a workspace"]],
  ["env select", ["modify", "changes the workspace"]],
  ["fmt", ["modify", "rewrites files"]],
  ["force-unlock", ["sensitive", "breaks a lock that somebody may hold"]],
  ["get", ["modify", "downloads modules"]],
  ["graph", ["observe", "prints a graph"]],
  ["help", ["observe", "prints help"]],
  ["import", ["modify", "changes the state"]],
  ["init", ["modify", "downloads what later runs, and may change the backend"]],
  ["login", ["sensitive", "stores a credential"]],
  ["logout", ["sensitive", "removes a credential"]],
  ["metadata functions", ["observe", "prints signatures"]],
  ["modules", ["observe", "prints modules"]],
  ["output", ["observe", "prints outputs"]],
  ["plan", ["observe", "only plans"]],
  ["providers", ["observe", "prints providers"]],
  ["providers lock", ["modify", "writes the lock file"]],
  ["providers mirror", ["modify", "writes files"]],
  ["providers schema", ["observe", "prints schemas"]],
  ["query", ["observe", "lists what exists"]],
  ["refresh", ["modify", "changes the state"]],
  ["show", ["observe", "prints a plan or the state"]],
  ["state identities", ["observe", "prints identities"]],
  ["state list", ["observe", "prints addresses"]],
  ["state mv", ["modify", "changes the state"]],
  ["state pull", ["sensitive", "prints the state, secrets included"]],
  ["state push", ["sensitive", "overwrites the state"]],
  ["state replace-provider", ["modify", "changes the state"]],
  ["state rm", ["sensitive", "forgets resources"]],
  ["state show", ["observe", "prints a resource"]],
  ["taint", ["modify", "marks a resource for replacement"]],
  ["test", ["modify", "creates and destroys what the tests name"]],
  ["untaint", ["modify", "changes the state"]],
  ["validate", ["observe", "checks files"]],
  ["version", ["observe", "prints the version"]],
  ["workspace", ["observe", "prints help"]],
  ["workspace delete", ["sensitive", "deletes a workspace"]],
  ["workspace list", ["observe", "lists workspaces"]],
  ["workspace new", ["modify", "creates a workspace"]],
  ["workspace select", ["modify", "changes the workspace"]],
  ["workspace show", ["observe", "prints the workspace"]],
]);

/** Classifies a command line of terraform or tofu; argv[0] is the program. */
export function classifyTerraformArgv(argv: readonly string[]): Classification {
  const read = readArgv(argv.slice(1), GRAMMAR);
  const command = commandOf(read);
  if (["help", "h", "version", "v"].some((name) => isSwitchedOn(read, name)))
    return answer(command === "" ? "version" : command, ["observe", "prints help or the version"]);
  const plain = answer(command, ruleOf(command, read));
  if (plain.tier === "unknown" || plain.tier === "break-glass") return plain;
  const [strange] = read.strange;
  // The next word may be the flag's value or an argument.
  return strange === undefined ? plain : doubtful(plain, `no flag '${strange}' that we know`);
}

/** The saved plan that `apply` is given, relative to the folder of `-chdir`; undefined for every other command line. */
export function savedPlanOf(argv: readonly string[]): string | undefined {
  if (!/^(?:terraform|tofu|tf|opentofu)(?:\.exe)?$/.test(programName(argv[0] ?? ""))) return undefined;
  const read = readArgv(argv.slice(1), GRAMMAR);
  const [command, file] = read.words;
  if (command !== "apply" || file === undefined) return undefined;
  const folder = argv.map((word) => /^--?chdir=(.+)$/.exec(word)?.[1]).find((each) => each !== undefined);
  return folder === undefined || file.startsWith("/") ? file : `${folder}/${file}`;
}

function commandOf({ words: [first = "help", second] }: ReadArgv): string {
  if (!GROUPS.has(first) || second === undefined) return first;
  return TERRAFORM_COMMANDS.has(`${first} ${second}`) ? `${first} ${second}` : first;
}

function ruleOf(command: string, read: ReadArgv): Rule | undefined {
  const has = (name: string): boolean => isSwitchedOn(read, name);
  // A group with a word that is none of its commands.
  if (GROUPS.has(command) && (read.words[1] !== undefined || !TERRAFORM_COMMANDS.has(command)))
    return undefined;
  const rule = TERRAFORM_COMMANDS.get(command);
  switch (command) {
    case "apply":
      return has("destroy") ? ["break-glass", "-destroy tears infrastructure down"] : rule;
    case "fmt":
      return has("check") || isFalse(read, "write") ? ["observe", "rewrites nothing"] : rule;
    case "output":
      return has("raw") || has("json") || has("show-sensitive")
        ? ["sensitive", "prints outputs in clear, secrets included"]
        : rule;
    case "show":
      return has("json") && read.words.length < 2
        ? ["sensitive", "prints the state in clear, secrets included"]
        : rule;
    case "plan":
      return read.flags.has("generate-config-out") ? ["modify", "writes configuration"] : rule;
    case "state mv":
    case "state rm":
      return has("dry-run") ? ["observe", "-dry-run changes nothing"] : rule;
    default:
      return rule;
  }
}

function isFalse(read: ReadArgv, name: string): boolean {
  return read.flags.has(name) && !isSwitchedOn(read, name);
}

function answer(command: string, rule: Rule | undefined): Classification {
  if (rule === undefined)
    return unknownClassification("terraform", `no command '${command}' that we know`, { command });
  return { protocol: "terraform", tier: rule[0], command, aliases: [], labels: {}, reason: rule[1] };
}
