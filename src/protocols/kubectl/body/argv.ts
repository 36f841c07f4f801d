// Reads the parts of a request's body that stand in kubectl's words: overrides, patches and types.
// The same judge as for the request, so that a command line is never laxer than its request. The
// content of a file is judged when its request comes.

import { isSwitchedOn, lastValue, type ReadArgv } from "../../argv.ts";
import { type BodyFinding, judgeText, judgeTree } from "./manifest.ts";

/** The finding about the body in a command's words; undefined where they hold no body, or nothing that counts. */
export function bodyInArgv(command: string, words: readonly string[], read: ReadArgv): BodyFinding {
  switch (command) {
    case "alpha":
    case "beta":
      return words[0] === undefined ? undefined : bodyInArgv(words[0], words.slice(1), read);
    case "run":
      if (isSwitchedOn(read, "privileged"))
        return { tier: "break-glass", reason: "runs a privileged container" };
      return overrides(read);
    case "expose":
      return overrides(read);
    case "create":
      return words[0] === "secret" ? judgeTree({ type: lastValue(read, "type") ?? "" }) : undefined;
    case "patch": {
      const patch = lastValue(read, "patch");
      return patch === undefined || patch === "" ? undefined : judgeText(patch, isJsonPatch(read));
    }
    default:
      return undefined;
  }
}

function isJsonPatch(read: ReadArgv): boolean {
  return (lastValue(read, "type") ?? "").toLowerCase() === "json";
}

/** The text changes the command's object: as a merge, or with --override-type as a patch. */
function overrides(read: ReadArgv): BodyFinding {
  const text = lastValue(read, "overrides");
  if (text === undefined || text === "") return undefined;
  return judgeText(text, (lastValue(read, "override-type") ?? "").toLowerCase() === "json");
}
