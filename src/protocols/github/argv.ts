// gh's command lines: `gh api` as the request that it sends, every other command by its name and
// flags. What gh does not know itself is an alias or an extension, which may do anything: unknown.

import type { Classification } from "../../model/classification.ts";
import type { HttpRequest } from "../../model/request.ts";
import { isSwitchedOn, lastValue } from "../argv.ts";
import { strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { ghApiRequest } from "./api-argv.ts";
import { type GhCommand, nameOfGhCommand, namesGroup, readGhCommand, tierOfGhCommand } from "./command.ts";
import { type Labels, labelsOf, labelsOfText } from "./labels.ts";

const HELP: Classification = {
  protocol: "github",
  tier: "observe",
  command: "help",
  aliases: [],
  labels: {},
  reason: "prints help",
};

/** Classifies a gh command line; argv[0] is gh, and `classify` judges what `gh api` sends. */
export function classifyGhArgv(
  argv: readonly string[],
  classify: (request: HttpRequest) => Classification,
): Classification {
  const args = argv.slice(1);
  if (namesGroup(args)) return HELP;
  const command = readGhCommand(args);
  if (command === undefined)
    return unknownClassification("github", "gh has no such command; it may be an alias or an extension");
  const [strange] = command.read.strange;
  // pflag prints help for -h where a command has no such flag of its own.
  if (isSwitchedOn(command.read, "help") || strange === "-h") return HELP;
  const answer = classifyCommand(command, classify);
  return strange === undefined
    ? answer
    : doubtful(answer, `gh ${command.name} has no flag '${strange}' that we know`);
}

function classifyCommand(
  command: GhCommand,
  classify: (request: HttpRequest) => Classification,
): Classification {
  if (command.name === "api") {
    const request = ghApiRequest(command);
    return "problem" in request
      ? unknownClassification("github", request.problem, { command: "api" })
      : classify(request);
  }
  if (command.name === "copilot")
    return unknownClassification("github", "gh copilot runs an agent", { command: "copilot" });
  const { tier, reason } = tierOfGhCommand(command);
  const [first, ...others] = labelsOfCommand(command).map(
    (labels): Classification => ({
      protocol: "github",
      tier,
      command: nameOfGhCommand(command),
      aliases: [],
      labels,
      reason,
    }),
  );
  return first === undefined ? unknownClassification("github", reason) : strictestOf(first, ...others);
}

/** Commands whose first word names a repository. */
const BY_REPOSITORY = /^repo (?:archive|clone|create|delete|edit|fork|set-default|sync|unarchive|view)$/;

/** One set of labels a repository that the command names; URLs among its words win over `--repo`, as in gh. */
function labelsOfCommand({ name, read, words }: GhCommand): readonly [Labels, ...Labels[]] {
  const repo = lastValue(read, "repo");
  const owner = lastValue(read, "org") ?? lastValue(read, "owner");
  const scope = repo === undefined ? labelsOf({ org: owner }) : labelsOfText(repo);
  if (name === "repo list") return [labelsOf({ org: words[0] ?? owner })];
  if (name.startsWith("search ")) return [{}];
  const isByUrl = /^(?:pr|issue) /.test(name);
  const named = words
    .slice(0, isByUrl ? undefined : 1)
    .filter((word) => (isByUrl ? /^https?:\/\//.test(word) : BY_REPOSITORY.test(name) && word.includes("/")))
    .map(labelsOfText)
    .filter((labels) => labels.repo !== undefined);
  const distinct = [...new Map(named.map((labels) => [labels.repo, labels] as const)).values()];
  const [first, ...others] = distinct;
  if (first === undefined) return [scope];
  // A word that is no URL is looked up in the repository of `--repo` or of the folder.
  const areAllUrls = words.every((word) => /^https?:\/\//.test(word)) || !isByUrl;
  return areAllUrls ? [first, ...others] : [scope, ...distinct];
}
