// A command line that a remote shell would run.

import { unknownClassification } from "../unknown.ts";
import type { ClassifiedWish } from "./classify-wish.ts";

/** Classifies. */
export function classifyRemoteCommand(text: string): ClassifiedWish {
  if (/^(?:uname|uptime|hostname|id|whoami)(?: -[a-z]+)*$/.test(text))
    return {
      classification: {
        protocol: "ssh",
        tier: "observe",
        command: text,
        aliases: [],
        labels: {},
        reason: "only reads",
      },
      isExact: true,
    };
  return {
    classification: unknownClassification("ssh", "no rule reads it", { command: text }),
    isExact: false,
  };
}
