// The names of requests, for the comparisons: the published operations of each protocol, the names
// that no list has, and the commands of the tools, which hooks judge.

import type { Glob } from "../../match/glob.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { KnownNames, KnownOperation } from "../../protocols/known-operation.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { commandLineOf } from "../lint/command-line.ts";
import { listedOperations } from "../lint/name-list.ts";

/** The names of a protocol. */
export type NameCatalogue = (protocol: Protocol) => KnownNames;

const known = new Map<Protocol, KnownNames>();

/** The names that iddio knows. The first question about a protocol costs up to 100 ms. */
export const knownNames: NameCatalogue = (protocol) => {
  const names = known.get(protocol) ?? namesOf(protocol);
  known.set(protocol, names);
  return names;
};

function namesOf(protocol: Protocol): KnownNames {
  const { operations, vocabulary } = classifierFor(protocol);
  if (operations === undefined || vocabulary === undefined) return { operations: [], open: "any" };
  const { openNames, mildestTier } = vocabulary;
  const all = listedOperations(protocol);
  let byCommand: ReadonlyMap<string, KnownOperation> | undefined;
  return {
    operations: all,
    open: openNames,
    commandLines: (globs) =>
      commandLinesOf(protocol, globs, (command) => {
        byCommand ??= new Map(all.map((one) => [one.command.toLowerCase(), one]));
        return byCommand.get(command.toLowerCase());
      }),
    ...(mildestTier === undefined ? {} : { mildestTier }),
  };
}

/** Patterns without a letter are about everything, and tell nothing apart. */
function commandLinesOf(
  protocol: Protocol,
  globs: readonly Glob[],
  requestOf: (command: string) => KnownOperation | undefined,
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
    const request = requestOf(command);
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
