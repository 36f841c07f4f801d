// The control methods about the console itself: who may open it, and which sessions there are. A
// session is opened from the control socket only: the console cannot make more of itself.

import { method } from "../method.ts";
import { flag, list, number, object, optional, text, type Value } from "../schema.ts";

/** A session of the console. */
export const consoleSession = object({
  id: text(),
  opened_ms: number(),
  ends_ms: number(),
  may_decide: flag("under the guard `session`; with a factor each decision asks for it anyway"),
  opened_by: optional(text("the program that opened it, for people")),
  seen_ms: optional(number("when it last asked for something")),
});
/** A session of the console. */
export type ConsoleSessionReport = Value<typeof consoleSession>;

/** The methods about sessions of the console. */
export const CONSOLE_METHODS = {
  console_open: method("decide", "POST", "/v1/console/open", {
    about: "makes a token that opens one session of the console, within a minute",
    input: object({ may_decide: flag("under the guard `session`, the new session may answer too") }),
    output: object({ url: text("of the page, without the token"), token: text() }),
    narrows: {
      because: "when the session may only look, or would be asked for a factor anyway",
      proof: (before, after) => after.may_decide !== true || before.hasFactor === true,
    },
    errors: { "no-console": "the console is not served; why is in the message" },
  }),
  console_sessions: method("read", "GET", "/v1/console/sessions", {
    about: "the sessions of the console",
    output: object({ sessions: list(consoleSession) }),
  }),
  console_revoke: method("change", "POST", "/v1/console/revoke", {
    about: "ends a session of the console, or all",
    input: object({ id: optional(text("all without it")) }),
    output: object({ revoked: number() }),
    narrows: { because: "a session that has ended may nothing" },
    errors: { "not-found": "no session has this id" },
  }),
} as const;
