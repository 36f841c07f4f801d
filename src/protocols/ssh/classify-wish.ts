// Classifies a channel of an SSH session: a command, a shell, a subsystem, a forwarding. Pure; a
// channel that cannot be understood is unknown.

import type { Classification } from "../../model/classification.ts";
import type { Tier } from "../../model/tier.ts";
import { unknownClassification } from "../unknown.ts";
import { classifyFileOperation, type FileOperation } from "./file-operation.ts";
import { classifyRemoteCommand } from "./remote-command.ts";

/** A channel's wish, as far as its tier depends on it. */
export type RemoteWish =
  | { readonly kind: "exec"; readonly command: string; readonly pty: boolean }
  | { readonly kind: "shell" }
  | { readonly kind: "subsystem"; readonly name: string }
  | { readonly kind: "forward"; readonly what: string; readonly detail: string }
  | { readonly kind: "file"; readonly operation: FileOperation; readonly paths: readonly string[] };

/** A classified wish. */
export interface ClassifiedWish {
  readonly classification: Classification;
  /**
   * It is one program with words that are all known, so that a rule that names it means this and nothing else, even
   * where the program itself is not known.
   */
  readonly isExact: boolean;
}

/** Classifies; without labels, which say where. */
export function classifyWish(wish: RemoteWish): ClassifiedWish {
  switch (wish.kind) {
    case "exec": {
      const found = classifyRemoteCommand(wish.command);
      return wish.pty ? { ...found, classification: withTerminal(found.classification) } : found;
    }
    case "shell":
      return known("sensitive", "shell", "what is typed into a shell can only be recorded");
    case "subsystem":
      if (wish.name === "sftp") return known("observe", "sftp", "each operation of SFTP is judged by itself");
      return {
        classification: unknownClassification("ssh", `the subsystem '${wish.name}' is not known`, {
          command: `subsystem ${wish.name}`,
        }),
        isExact: false,
      };
    case "file":
      return { classification: classifyFileOperation(wish.operation, wish.paths), isExact: true };
    case "forward": {
      const { classification } = known(
        "break-glass",
        wish.what,
        FORWARD_REASONS[wish.what] ?? "it carries other connections",
      );
      // A rule may say where to: `direct-tcpip db.internal:5432`.
      const aliases = wish.detail === "" ? [] : [`${wish.what} ${wish.detail.toLowerCase()}`];
      return { classification: { ...classification, aliases }, isExact: true };
    }
  }
}

/** Whether it is never carried, whatever a policy says: it would give the other side a way back, or keys. */
export function isNeverCarried(wish: RemoteWish): boolean {
  return wish.kind === "forward" && wish.what !== "direct-tcpip";
}

const FORWARD_REASONS: Readonly<Record<string, string>> = {
  "auth-agent": "root on that host could use the keys",
  x11: "root on that host could read the screen and type",
};

function known(tier: Tier, command: string, reason: string): ClassifiedWish {
  return {
    classification: { protocol: "ssh", tier, command, aliases: [], labels: {}, reason },
    isExact: true,
  };
}

/** With a terminal a pager or an editor may open, and both offer a shell. */
function withTerminal(plain: Classification): Classification {
  if (plain.tier !== "observe" && plain.tier !== "modify") return plain;
  const reason = `with a terminal a pager or an editor may open, and both offer a shell; run it without (ssh without -t): ${plain.reason}`;
  const { parts: _, ...whole } = plain;
  return { ...whole, tier: "sensitive", reason };
}
