// The words that commands of a `github` block may use beside the published operations: gh's own
// commands in every spelling, git's transfers, and the fields of GraphQL.

import type { KnownOperation } from "../known-operation.ts";
import { isMethodName, toolWords, type Vocabulary } from "../vocabulary.ts";
import { ghCommandNames, plainGhName } from "./command.ts";
import table from "./tool-commands.tsv" with { type: "text" };

/** Root fields of GraphQL queries, of which the schema has more than are listed. */
const FIELD = /^(?:query|subscription) \S+$|^mutation __typename$/i;

/** git's own transfers, and what only some requests carry. */
const OTHERS: readonly KnownOperation[] = [
  { command: "git fetch", aliases: ["git-upload-pack", "git-upload-archive"], tier: "observe" },
  { command: "git push", aliases: ["git-receive-pack"], tier: "modify" },
  ...["git info/refs", "git probe", "lfs download", "download", "page", "login", "meta/root"].map(observed),
  ...["options", "packages get", "packages head", "packages options"].map(observed),
  ...["lfs upload", "lfs locks", "packages post", "packages put", "packages patch"].map(modifying),
  { command: "packages delete", aliases: [], tier: "sensitive" },
  { command: "copilot", aliases: [], tier: "observe" },
];

function observed(command: string): KnownOperation {
  return { command, aliases: [], tier: "observe" };
}

function modifying(command: string): KnownOperation {
  return { command, aliases: [], tier: "modify" };
}

const words = toolWords(table);

/** gh's commands, and names that no catalogue lists. */
export const githubVocabulary: Vocabulary = {
  ...words,
  toolCommands: () => [...new Set([...words.toolCommands(), ...ghCommandNames()])],
  plainName: plainGhName,
  onlyRestricting,
  isCarried: (command) => FIELD.test(command) || isMethodName(command),
  openNames: ["query", "mutation", "subscription"].map((kind) => ({
    noun: kind === "query" ? "GraphQL queries" : `GraphQL ${kind}s that GitHub has not published`,
    spellings: [
      { before: `${kind} `, after: "" },
      { before: "", after: "" },
    ],
  })),
  mildestTier: (name) => (name.startsWith("mutation ") ? "modify" : undefined),
  others: () => [
    ...OTHERS,
    ...["repo edit", "repo rename"].map((sentBy) => ({
      command: "repos/update",
      aliases: [sentBy],
      tier: "modify" as const,
      raised: [],
    })),
    { command: "mutation __typename", aliases: ["__typename"], tier: "observe" },
  ],
};

/**
 * Changes of settings that one REST operation serves: its body tells them apart, or gh sends a mutation of its own for
 * each. So an allow of a command is about what it sends and no other change.
 */
function onlyRestricting(command: string): readonly string[] {
  if (/^repo (?:edit|rename|archive|unarchive)$/i.test(command)) return ["repos/update"];
  const [, noun] = /^(issue|pr) (?:close|edit|reopen)$/i.exec(command) ?? [];
  if (noun === undefined) return [];
  return [noun.toLowerCase() === "pr" ? "pulls/update" : "issues/update"];
}
