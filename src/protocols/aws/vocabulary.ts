// The words that commands of an `aws` block may use beside the operations of its APIs.

import { TIER_BY_METHOD } from "../generic/classify.ts";
import { methodOperations } from "../generic/known-operations.ts";
import type { KnownOperation } from "../known-operation.ts";
import { isMethodName, toolWords, type Vocabulary } from "../vocabulary.ts";
import { customOperations } from "./argv-custom.ts";
import { s3Operations } from "./s3/argv.ts";
import table from "./tool-commands.tsv" with { type: "text" };

/** The data channel of a session on a host. */
const SESSION: KnownOperation = {
  command: "ssm start-session",
  aliases: ["ssm:StartSession", "ssmmessages:OpenDataChannel"],
  tier: "break-glass",
};

/** The AWS CLI's own commands; a service's operations are its words already. Applications at AWS are judged by method. */
export const awsVocabulary: Vocabulary = {
  ...toolWords(table),
  isCarried: isMethodName,
  openNames: [],
  others: () => [SESSION, ...customOperations(), ...s3Operations(), ...methodOperations(TIER_BY_METHOD)],
};
