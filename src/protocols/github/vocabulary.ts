// The words that commands of a `github` block may use beside the published operations.

import { isMethodName, toolWords, type Vocabulary } from "../vocabulary.ts";
import table from "./tool-commands.tsv" with { type: "text" };

/** Root fields of GraphQL queries, git's own transfers, and names that only some requests carry. */
const CARRIED =
  /^(?:query|subscription) \S+$|^mutation __typename$|^(?:options|copilot|meta\/root|download|page|login)$|^(?:git|lfs|packages) \S+$|^git-\S+$/i;

/** gh's commands, and names that no catalogue lists. */
export const githubVocabulary: Vocabulary = {
  ...toolWords(table),
  isCarried: (command) => CARRIED.test(command) || isMethodName(command),
};
