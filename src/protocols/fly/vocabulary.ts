// The words that commands of a `fly` block may use beside the operations of its REST APIs. Fly
// publishes no list of its mutations, so any name of one may be carried.

import type { KnownOperation } from "../known-operation.ts";
import { isMethodName, toolWords, type Vocabulary } from "../vocabulary.ts";
import { flyPlainName } from "./commands.ts";
import { tierOfFlyMutation } from "./graphql.ts";
import table from "./tool-commands.tsv" with { type: "text" };

const words = toolWords(table);

/** The usage report of flyctl, queries of metrics, and the mutations that flyctl is known to send. */
function others(): readonly KnownOperation[] {
  const sent = new Set(words.toolCommands().flatMap((command) => words.meaningOf(command)));
  const mutations = [...sent]
    .filter((name) => name.startsWith(MUTATION))
    .map((name) => name.slice(MUTATION.length));
  return [
    ...["metrics send", "prometheus.query"].map((command) => ({
      command,
      aliases: [],
      tier: "observe" as const,
    })),
    { command: "mutation __typename", aliases: ["__typename"], tier: "observe" },
    ...mutations.map((name) => ({
      command: `${MUTATION}${name}`,
      aliases: [name],
      tier: tierOfFlyMutation(name).tier,
    })),
  ];
}

const MUTATION = "mutation ";

/** flyctl's commands and GraphQL's fields. */
export const flyVocabulary: Vocabulary = {
  ...words,
  plainName: flyPlainName,
  openNames: ["query", "mutation", "subscription"].map((kind) => ({
    noun: kind === "query" ? "GraphQL queries" : `GraphQL ${kind}s`,
    spellings: [
      { before: `${kind} `, after: "" },
      { before: "", after: "" },
    ],
  })),
  mildestTier: (name) =>
    name.startsWith(MUTATION) ? tierOfFlyMutation(name.slice(MUTATION.length)).tier : undefined,
  others,
  isCarried: (command) => /^(?:query|mutation|subscription) \S+$/i.test(command) || isMethodName(command),
};
