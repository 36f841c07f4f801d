// The entry of the control API's table that agents' hooks call. A stream of one row: the answer may
// have to wait for a person, and anyone who closes the connection withdraws the question.

import { method } from "../method.ts";
import { flag, list, object, optional, text } from "../schema.ts";
import { hookVerdict } from "./hook-report.ts";

/** Judges a command line. */
export const HOOKS_JUDGE = {
  ...method("change", "POST", "/v1/hooks/judge", {
    about: "the policy's answer to a command line of an agent; waits for a person where the agent cannot ask",
    input: object({
      agent: text("whose hook asks"),
      command: text("for the shell"),
      cwd: optional(text()),
      plans: optional(list(object({ file: text("as the command names it"), content: text("base64") }))),
      can_ask: flag("the agent asks its own user when the answer is `escalate`"),
    }),
    output: hookVerdict,
    narrows: {
      because:
        "a hook only ever asks or refuses; requests that it lets through are judged on the wire as well",
    },
  }),
  isStream: true,
  isForRuns: true,
  // A saved plan of terraform may have some megabytes.
  inputMaxBytes: 24 * 1024 * 1024,
} as const;
