// The control methods about agents in `iddio run`. In a file of its own: an agent waits for its
// start, which needs these and no others.

import { method } from "../method.ts";
import { runPlace, runReport, runStart } from "../run-report.ts";
import { flag, list, number, object, optional, text } from "../schema.ts";

/** Their part of the table. */
export const RUN_METHODS = {
  runs_list: method("read", "GET", "/v1/runs", {
    about: "the agents under `iddio run`",
    output: object({ runs: list(runReport) }),
  }),
  runs_start: method("change", "POST", "/v1/runs/start", {
    about: "begins a run, for a bridge that registers with the token",
    input: object({
      name: text(),
      profile: text(),
      command: text("for people"),
      local_ports: list(number("port of this machine's loopback that the run may reach")),
      keep_home: optional(flag("it sees the home directory, which lowers its level")),
      may_number: optional(flag("where the name is taken, `-2` or the next free number is put behind it")),
      with_presence: optional(flag("lists of the policy that let more through are to count for its name")),
      place: optional(runPlace),
    }),
    output: runStart,
    narrows: {
      because:
        "a program that starts a run could do all of it, and more, without one; only `with_presence` widens",
      proof: (_before, after) => after.with_presence !== true,
    },
    errors: { "name-taken": "a run has this name" },
  }),
  runs_stop: method("change", "POST", "/v1/runs/stop", {
    about: "ends a run's network, then its processes",
    input: object({ run: text("name or id") }),
    output: object({ run: runReport }),
    narrows: { because: "a run that has ended asks for nothing" },
    errors: { "not-found": "no run has this id or name", ambiguous: "several match" },
  }),
} as const;
