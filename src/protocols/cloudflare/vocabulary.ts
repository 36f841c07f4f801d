// The words that commands of a `cloudflare` block may use beside the published operations.

import { isMethodName, toolWords, type Vocabulary } from "../vocabulary.ts";
import table from "./tool-commands.tsv" with { type: "text" };

/** wrangler's commands, GraphQL's fields and wrangler's own login. */
export const cloudflareVocabulary: Vocabulary = {
  ...toolWords(table),
  isCarried: (command) => /^graphql\.\S+$|^oauth2\.token$/i.test(command) || isMethodName(command),
};
