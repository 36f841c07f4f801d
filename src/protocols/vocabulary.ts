// Reads the words of a policy's commands in a protocol, beside the operations that its catalogue
// lists: a tool's own commands, each with the API operations that the tool sends, and names that
// requests carry though no catalogue has them. Pure; the tables are tool-commands.tsv of each
// protocol.

import type { Glob } from "../match/glob.ts";
import type { TierOrUnknown } from "../model/tier.ts";
import type { KnownOperation, NameShape } from "./known-operation.ts";

/** Requests that a name is about though they are not called so. */
export interface Namesakes {
  readonly globs: readonly Glob[];
  /** Whether only rules that ask or deny mean them. */
  readonly isOnlyRestricting: boolean;
}

/** The words of one protocol. */
export interface Vocabulary {
  /** The API operations that a tool's command sends, names or patterns; empty for none that are known. Never throws. */
  meaningOf(command: string): readonly string[];
  /** Those of its meanings that only rules that ask or deny mean, as they are more than the command needs. */
  onlyRestricting?(command: string): readonly string[];
  /** Requests of another kind that have nearly the same name, which the name is about, too; undefined for none. */
  namesakesOf?(name: string): Namesakes | undefined;
  /** The plain name of a tool's command in another of its spellings (`fly app destroy`); undefined for what is none. */
  plainName?(words: readonly string[]): string | undefined;
  /** Whether requests can carry this name though neither the catalogue nor `others` lists it. */
  isCarried(command: string): boolean;
  /** How names look that are in no list. */
  readonly openNames: readonly NameShape[];
  /** Names that requests carry beside the published operations. */
  others?(): readonly KnownOperation[];
  /** The mildest tier that a request of this name can have, though no catalogue has it; absent where nobody can tell. */
  mildestTier?(command: string): TierOrUnknown | undefined;
  /** The tool's commands that have a meaning, for a hint about a misspelt one; not all of them where words combine. */
  toolCommands(): readonly string[];
  /**
   * The tool's commands that could send the same requests as this one, itself included, where words combine; undefined
   * for what is no command of the tool. Absent where `toolCommands` has all of them.
   */
  toolCommandsLike?(command: string): readonly string[] | undefined;
}

/** Names that requests without an operation carry. */
const METHODS: ReadonlySet<string> = new Set(
  "GET HEAD POST PUT PATCH DELETE OPTIONS CONNECT TRACE LOCK UNLOCK".split(" "),
);

/** Whether a command is an HTTP method, by which hosts outside the vendor's API are judged. */
export function isMethodName(command: string): boolean {
  return METHODS.has(command.toUpperCase());
}

/** Reads tool-commands.tsv: a command's words, a tab, its operations with ", " between them. */
export function readToolCommands(table: string): ReadonlyMap<string, readonly string[]> {
  const commands = new Map<string, readonly string[]>();
  for (const line of table.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [words = "", operations = ""] = line.split("\t");
    commands.set(words, operations.split(", "));
  }
  return commands;
}

/** The part of a vocabulary that a table gives, which is read at the first question. */
export function toolWords(table: string): Pick<Vocabulary, "meaningOf" | "toolCommands"> {
  let commands: ReadonlyMap<string, readonly string[]> | undefined;
  const read = () => {
    commands ??= readToolCommands(table);
    return commands;
  };
  return {
    meaningOf: (command) => read().get(command.toLowerCase()) ?? [],
    toolCommands: () => [...read().keys()],
  };
}
