// The words that commands of a `fly` block may use beside the operations of its REST APIs. Fly
// publishes no list of its mutations, so any name of one may be carried.

import { isMethodName, toolWords, type Vocabulary } from "../vocabulary.ts";
import table from "./tool-commands.tsv" with { type: "text" };

/** flyctl's commands and GraphQL's fields. */
export const flyVocabulary: Vocabulary = {
  ...toolWords(table),
  isCarried: (command) => /^(?:query|mutation|subscription) \S+$/i.test(command) || isMethodName(command),
};
