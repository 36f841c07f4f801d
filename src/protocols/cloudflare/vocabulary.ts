// The words that commands of a `cloudflare` block may use beside the published operations.

import type { KnownOperation } from "../known-operation.ts";
import { isMethodName, toolWords, type Vocabulary } from "../vocabulary.ts";
import table from "./tool-commands.tsv" with { type: "text" };
import { wranglerCommandNames, wranglerPlainName } from "./wrangler-commands.ts";

/** The login of the command line. */
const LOGIN: KnownOperation = { command: "oauth2.token", aliases: [], tier: "observe" };

const words = toolWords(table);

/** wrangler's commands, GraphQL's fields and wrangler's own login. */
export const cloudflareVocabulary: Vocabulary = {
  ...words,
  toolCommands: () => [...new Set([...words.toolCommands(), ...wranglerCommandNames()])],
  plainName: wranglerPlainName,
  isCarried: (command) => /^graphql\.\S+$/i.test(command) || isMethodName(command),
  openNames: [{ noun: "GraphQL fields", spellings: [{ before: "graphql.", after: "" }] }],
  others: () => [LOGIN],
};
