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

const listed = new Map<Protocol, readonly KnownOperation[]>();

/** Every operation of a protocol that is in a list; none for a protocol without one. The same array each time. */
export function listedOperations(protocol: Protocol): readonly KnownOperation[] {
  const ready = listed.get(protocol);
  if (ready !== undefined) return ready;
  const { operations, vocabulary } = classifierFor(protocol);
  const all = [...(operations?.() ?? []), ...(vocabulary?.others?.() ?? [])];
  listed.set(protocol, all);
  return all;
}

const known = new Map<Protocol, ProtocolNames>();

/** The names; none for a protocol without a list. */
export function nameListsOf(protocol: Protocol): ProtocolNames {
  const ready = known.get(protocol);
  if (ready !== undefined) return ready;
  const { vocabulary } = classifierFor(protocol);
  const all = listedOperations(protocol);
  const carried = all.filter(({ shown }) => shown === undefined);
  const byName = new Map<string, KnownOperation>();
  // A name that one operation has and another one has, too, is the first one's; a command's before an alias.
  for (const one of carried) addName(byName, one.command, one);
  for (const one of carried) for (const alias of one.aliases) addName(byName, alias, one);
  const names: ProtocolNames = {
    requests: listOf(
      () => carried.flatMap(spellings),
      () => byName,
    ),
    requestOf: (name) => {
      const folded = name.toLowerCase();
      const operation = byName.get(folded);
      const spelling = operation && spellings(operation).find((one) => one.toLowerCase() === folded);
      return operation === undefined || spelling === undefined ? undefined : { operation, spelling };
    },
    commandLines: listOf(() => [
      ...all.filter(({ shown }) => shown !== undefined).flatMap(spellings),
      ...(vocabulary?.toolCommands() ?? []),
    ]),
  };
  known.set(protocol, names);
  return names;
}

function addName(byName: Map<string, KnownOperation>, name: string, operation: KnownOperation): void {
  const folded = name.toLowerCase();
  if (!byName.has(folded)) byName.set(folded, operation);
}

function spellings({ command, aliases }: KnownOperation): readonly string[] {
  return [command, ...aliases];
}

/** A list that is made when somebody asks for it. */
function listOf(
  names: () => readonly string[],
  fold: () => { has(name: string): boolean } = () => new Set(names().map((name) => name.toLowerCase())),
): NameList {
  let list: readonly string[] | undefined;
  let folded: { has(name: string): boolean } | undefined;
  return {
    get list() {
      list ??= [...new Set(names())];
      return list;
    },
    has: (name) => {
      folded ??= fold();
      return folded.has(name);
    },
  };
}
