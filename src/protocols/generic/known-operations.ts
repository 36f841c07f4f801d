// Names the operations of protocols that go by the method: those of `generic` blocks, and of hosts
// of terraform and helm. Their command lines have the tools' own names, which hooks judge.

import type { Tier } from "../../model/tier.ts";
import type { KnownOperation } from "../known-operation.ts";
import type { Vocabulary } from "../vocabulary.ts";

/** Methods that have no tier and that servers know all the same: WebDAV, caches, discovery. */
const OTHERS: ReadonlySet<string> = new Set(
  `acl ban bind checkin checkout connect copy label link merge mkactivity mkcalendar mkcol mkworkspace move notify
   orderpatch pri propfind proppatch purge query rebind report search source subscribe trace unbind uncheckout unlink
   unsubscribe update updateredirectref version-control`.split(/\s+/),
);

/** The methods with a tier. */
export function methodOperations(tiers: ReadonlyMap<string, Tier>): readonly KnownOperation[] {
  return [...tiers].map(([command, tier]) => ({ command, aliases: [], tier }));
}

/** Operations of a tool whose command lines are judged by the words of its own commands. */
export function toolOperations(
  program: string,
  commands: ReadonlyMap<string, readonly [tier: Tier, reason: string]>,
): readonly KnownOperation[] {
  return [...commands].map(([command, [tier]]) => ({
    command,
    aliases: [],
    tier,
    shown: `${program} ${command} (command line)`,
  }));
}

/**
 * Words that a block judged by method may use beside its operations; `isOther` adds a tool's own, `plainName` its other
 * spellings.
 */
export function methodVocabulary(
  isOther: (command: string) => boolean = () => false,
  plainName?: Vocabulary["plainName"],
): Vocabulary {
  return {
    meaningOf: () => [],
    toolCommands: () => [],
    openNames: [],
    others: () =>
      [...OTHERS].map((command) => ({ command: command.toUpperCase(), aliases: [], tier: "unknown" })),
    isCarried: (command) => isOther(command),
    ...(plainName === undefined ? {} : { plainName }),
  };
}
