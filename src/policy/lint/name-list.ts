// Every name of a protocol's operations that is in a list, read once: the names of requests, and
// those that only command lines have.

import type { Protocol } from "../../model/protocol.ts";
import type { KnownOperation } from "../../protocols/known-operation.ts";
import { classifierFor } from "../../protocols/registry.ts";

/** Names as the lists spell them; a question takes any case. */
export interface NameList {
  readonly list: readonly string[];
  has(name: string): boolean;
}

/** The names of a protocol. */
export interface ProtocolNames {
  readonly requests: NameList;
  /** The tools' own commands, which no request is called. */
  readonly commandLines: NameList;
  /** The operation that requests of this name in any case carry, and the name as its list spells it. */
  requestOf(name: string): { readonly operation: KnownOperation; readonly spelling: string } | undefined;
}

const known = new Map<Protocol, ProtocolNames>();

/** The names; none for a protocol without a list. */
export function nameListsOf(protocol: Protocol): ProtocolNames {
  const ready = known.get(protocol);
  if (ready !== undefined) return ready;
  const { operations, vocabulary } = classifierFor(protocol);
  const all = [...(operations?.() ?? []), ...(vocabulary?.others?.() ?? [])];
  const carried = all.filter(({ shown }) => shown === undefined);
  const byName = new Map<string, { readonly operation: KnownOperation; readonly spelling: string }>();
  // A name that one operation has and another one has, too, is the first one's.
  for (const [operation, spelling] of [
    ...carried.map((one) => [one, one.command] as const),
    ...carried.flatMap((one) => one.aliases.map((alias) => [one, alias] as const)),
  ])
    if (!byName.has(spelling.toLowerCase())) byName.set(spelling.toLowerCase(), { operation, spelling });
  const names: ProtocolNames = {
    requests: listOf(carried.flatMap(spellings)),
    requestOf: (name) => byName.get(name.toLowerCase()),
    commandLines: listOf([
      ...all.filter(({ shown }) => shown !== undefined).flatMap(spellings),
      ...(vocabulary?.toolCommands() ?? []),
    ]),
  };
  known.set(protocol, names);
  return names;
}

function spellings({ command, aliases }: KnownOperation): readonly string[] {
  return [command, ...aliases];
}

function listOf(names: readonly string[]): NameList {
  const folded = new Set(names.map((name) => name.toLowerCase()));
  return { list: [...new Set(names)], has: (name) => folded.has(name) };
}
