// The explicit list of classifiers, one for each protocol, in the order of the policy's keys.
// Adding one is a line here. Nothing registers itself.

import type { Protocol } from "../model/protocol.ts";
import { programName } from "./argv.ts";
import { awsClassifier } from "./aws/classify.ts";
import type { Classifier } from "./classifier.ts";
import { cloudflareClassifier } from "./cloudflare/classify.ts";
import { flyClassifier } from "./fly/classify.ts";
import { gcloudClassifier } from "./gcloud/classify.ts";
import { genericClassifier } from "./generic/classify.ts";
import { githubClassifier } from "./github/classify.ts";
import { helmClassifier } from "./helm/classify.ts";
import { kubectlClassifier } from "./kubectl/classify.ts";
import { mcpClassifier } from "./mcp/classify.ts";
import { sshClassifier } from "./ssh/classify.ts";
import { terraformClassifier } from "./terraform/classify.ts";

/** Every classifier, in print order of the protocols. */
export const CLASSIFIERS: readonly Classifier[] = (
  [
    kubectlClassifier,
    gcloudClassifier,
    awsClassifier,
    githubClassifier,
    terraformClassifier,
    helmClassifier,
    cloudflareClassifier,
    flyClassifier,
    sshClassifier,
    mcpClassifier,
    genericClassifier,
  ] satisfies readonly Classifier[]
).map(withApiNames);

/** A command line that sends one operation has its name too, so that a rule about either is about both. */
function withApiNames(classifier: Classifier): Classifier {
  const { vocabulary, classifyArgv } = classifier;
  if (vocabulary === undefined) return classifier;
  return {
    ...classifier,
    classifyArgv: (argv) => {
      const plain = classifyArgv(argv);
      if (plain.aliases.length > 0 || plain.parts !== undefined || plain.command === "") return plain;
      const [only, second] = vocabulary.meaningOf(plain.command).filter((name) => name !== plain.command);
      if (only === undefined || second !== undefined || only.includes("*")) return plain;
      return { ...plain, aliases: [only] };
    },
  };
}

const BY_PROTOCOL: ReadonlyMap<Protocol, Classifier> = new Map(
  CLASSIFIERS.map((classifier) => [classifier.protocol, classifier]),
);

const BY_PROGRAM: ReadonlyMap<string, Classifier> = new Map(
  CLASSIFIERS.flatMap((classifier) => classifier.programs.map((program) => [program, classifier] as const)),
);

/** The classifier of a protocol. Throws only when the registry misses one, which its test excludes. */
export function classifierFor(protocol: Protocol): Classifier {
  const classifier = BY_PROTOCOL.get(protocol);
  if (classifier === undefined) throw new Error(`no classifier registered for ${protocol}`);
  return classifier;
}

/** The classifier that reads a program's command lines, by path or bare name; undefined for a program nobody knows. */
export function classifierForProgram(program: string): Classifier | undefined {
  return BY_PROGRAM.get(programName(program));
}
