// The control methods about who is told of requests that wait. Every change is recorded with who made it, without secrets.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { Notifying } from "../../features/notify/notifying.ts";
import type { RecordControl } from "./approval-control.ts";

type Methods = "notify_list" | "notify_add" | "notify_rotate" | "notify_test" | "notify_remove";

/** Handlers of those methods. */
export function notifyHandlers(notifying: Notifying, record: RecordControl): Pick<ControlHandlers, Methods> {
  return {
    notify_list: () => ({ targets: notifying.list() }),
    notify_add: (input, caller) => {
      const added = notifying.add(input);
      const { name, target, approvers, takes_replies } = added.target;
      record(caller, "notify add", { target_name: name, target, approvers, takes_replies });
      return added;
    },
    notify_rotate: async ({ name }, caller) => {
      const rotated = await notifying.rotate(name);
      record(caller, "notify rotate", { target_name: name });
      return rotated;
    },
    notify_test: ({ name }) => notifying.test(name),
    notify_remove: async ({ name }, caller) => {
      const target = await notifying.remove(name);
      record(caller, "notify remove", { target_name: name, target: target.target });
      return { target };
    },
  };
}
