// The control methods about forwarding audit rows. Every change is recorded with who made it, without secrets.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { Forwarding } from "../../features/forward/forwarding.ts";
import type { RecordControl } from "./approval-control.ts";

type Methods = "forward_list" | "forward_add" | "forward_rotate" | "forward_test" | "forward_remove";

/** Handlers of those methods. */
export function forwardHandlers(
  forwarding: Forwarding,
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
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
