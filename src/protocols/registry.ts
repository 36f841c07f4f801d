// The classifiers, looked up by protocol and by program. The list of protocols is in
// src/model/protocol.ts; listed.ts has their imports. Nothing registers itself.

import type { Protocol } from "../model/protocol.ts";
import { programName } from "./argv.ts";
import type { Classifier } from "./classifier.ts";
import { LISTED } from "./listed.ts";

/** Every classifier, in print order of the protocols. */
export const CLASSIFIERS: readonly Classifier[] = LISTED.map(withApiNames);

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

/**
 * The protocol of a host known by name (lower case, no port), else `generic`. For `classify` where no route of the
 * policy has said so; the gateway itself never guesses.
 */
export function guessProtocol(host: string): Protocol {
  // In the order of the list: a cluster's host comes before the cloud that it is under.
  return CLASSIFIERS.find(({ isOwnHost }) => isOwnHost?.(host) === true)?.protocol ?? "generic";
}
