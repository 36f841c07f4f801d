// Whether requests or command lines of a protocol can be called so, by the lists and shapes that
// the policy tools go by.

import type { Classification } from "../../../src/model/classification.ts";
import type { Protocol } from "../../../src/model/protocol.ts";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { classifierFor } from "../../../src/protocols/registry.ts";

interface Carried {
  readonly listed: ReadonlySet<string>;
  readonly shapes: readonly RegExp[] | "any";
}

const known = new Map<Protocol, Carried>();

function carriedBy(protocol: Protocol): Carried {
  const ready = known.get(protocol);
  if (ready !== undefined) return ready;
  const { operations, open } = knownNames(protocol);
  const lines = classifierFor(protocol).vocabulary?.toolCommands() ?? [];
  const quoted = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const carried: Carried = {
    listed: new Set(
      [...operations.flatMap(({ command, aliases }) => [command, ...aliases]), ...lines].map((name) =>
        name.toLowerCase(),
      ),
    ),
    shapes:
      open === "any"
        ? "any"
        : open.flatMap(({ spellings, fixed = [] }) => [
            ...spellings.map(
              ({ before, after }) => new RegExp(`^${quoted(before)}\\S+${quoted(after)}$`, "i"),
            ),
            ...fixed.map((name) => new RegExp(`^${quoted(name)}$`, "i")),
          ]),
  };
  known.set(protocol, carried);
  return carried;
}

/** The names of a request, and of its parts, that no list and no shape has. */
export function strangeNames({ protocol, tier, command, aliases, parts }: Classification): readonly string[] {
  if (parts !== undefined && parts.length > 0) return parts.flatMap(strangeNames);
  if (tier === "unknown") return [];
  const { listed, shapes } = carriedBy(protocol);
  return [command, ...aliases].filter(
    (name) =>
      name !== "" &&
      shapes !== "any" &&
      !listed.has(name.toLowerCase()) &&
      !shapes.some((shape) => shape.test(name)),
  );
}
