// The words that commands of an `aws` block may use beside the operations of its APIs.

import { isMethodName, toolWords, type Vocabulary } from "../vocabulary.ts";
import table from "./tool-commands.tsv" with { type: "text" };

/** The AWS CLI's own commands; a service's operations are its words already. */
export const awsVocabulary: Vocabulary = { ...toolWords(table), isCarried: isMethodName };
