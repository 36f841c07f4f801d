// The daemon's part of forwarding: the deliveries, and the control methods about receivers. Every
// change is recorded with its caller, without secrets.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import type { RecordControl } from "../../gateway/request/records/record-control.ts";
import { Sinks } from "../../state/tables/sinks.ts";
import { Forwarding } from "./forwarding.ts";

type Methods = "forward_list" | "forward_add" | "forward_rotate" | "forward_test" | "forward_remove";

/** Starts the deliveries. */
export function startForward({ cleanup, record, database, ...parts }: DaemonParts): DaemonPart {
  const forwarding = cleanup.use(new Forwarding({ ...parts, sinks: new Sinks(database) }));
  return { handlers: handlersOf(forwarding, record) };
}

function handlersOf(forwarding: Forwarding, record: RecordControl): Pick<ControlHandlers, Methods> {
  return {
    forward_list: async () => ({ sinks: await forwarding.list() }),
    forward_add: async (input, caller) => {
      const added = await forwarding.add(input);
      record(caller, "forward add", { sink: added.sink.name, target: added.sink.target });
      return added;
    },
    forward_rotate: async ({ name }, caller) => {
      const rotated = await forwarding.rotate(name);
      record(caller, "forward rotate", { sink: name });
      return rotated;
    },
    forward_test: ({ name }) => forwarding.test(name),
    forward_remove: async ({ name }, caller) => {
      const sink = await forwarding.remove(name);
      record(caller, "forward remove", { sink: name, target: sink.target });
      return { sink };
    },
  };
}
