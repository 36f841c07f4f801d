// The names of requests, for the comparisons: the published operations of each protocol, the names
// that no list has, and the commands of the tools, which hooks judge.

import type { Glob } from "../../match/glob.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { KnownNames, KnownOperation } from "../../protocols/known-operation.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { commandLineOf } from "../lint/command-line.ts";

/** The names of a protocol. */
export type NameCatalogue = (protocol: Protocol) => KnownNames;

/** The names that iddio knows. The first question about a protocol costs up to 200 ms. */
export const knownNames: NameCatalogue = (protocol) => {
  const { operations, vocabulary } = classifierFor(protocol);
  if (operations === undefined || vocabulary === undefined) return { operations: [], open: "any" };
  const { openNames, mildestTier } = vocabulary;
  const all = [...operations(), ...(vocabulary.others?.() ?? [])];
  return {
    operations: all,
    open: openNames,
    commandLines: (globs) =>
      commandLinesOf(protocol, globs, new Map(all.map((one) => [one.command.toLowerCase(), one]))),
    ...(mildestTier === undefined ? {} : { mildestTier }),
  };
};

/** Patterns without a letter are about everything, and tell nothing apart. */
function commandLinesOf(
  protocol: Protocol,
  globs: readonly Glob[],
  requests: ReadonlyMap<string, KnownOperation>,
): readonly KnownOperation[] {
  const telling = globs.filter(({ fixed }) => fixed.trim() !== "");
  const wild = telling.filter(({ isExact }) => !isExact);
  const names = new Set(telling.flatMap(({ isExact, fixed }) => (isExact ? [fixed] : [])));
  if (wild.length > 0)
    for (const name of classifierFor(protocol).vocabulary?.toolCommands() ?? [])
      if (wild.some((glob) => glob.test(name.toLowerCase()))) names.add(name);
  return [...names].flatMap((name) => {
    const line = commandLineOf(protocol, name);
    if (line === undefined || line.classification.command.toLowerCase() !== name.toLowerCase()) return [];
    const { command, aliases, tier } = line.classification;
    // A command line that is called as its requests are can be where they can be.
    const request = requests.get(command.toLowerCase());
    if (request?.tier === tier && request.aliases.join() === aliases.join()) return [];
    const { reach } = request ?? {};
    return [
      {
        command,
        aliases,
        tier,
        ...(reach === undefined ? {} : { reach }),
        shown: `${line.program} ${command} (command line)`.trim(),
      },
    ];
  });
}
