// The daemon's part of notices: the senders, the desktop, and the control methods about their
// receivers. Every change is recorded with its caller, without secrets.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import type { RecordControl } from "../../gateway/request/records/record-control.ts";
import { Notices } from "../../state/tables/notices.ts";
import { HoldNotifications } from "./hold-notifications.ts";
import { Notifying } from "./notifying.ts";

type Methods = "notify_list" | "notify_add" | "notify_rotate" | "notify_test" | "notify_remove";

/** Starts the senders; a webhook's callbacks arrive on the proxy's own port. */
export function startNotify({ cleanup, record, database, ...parts }: DaemonParts): DaemonPart {
  const { broker, events, log, desktop, settings } = parts;
  const setting = () => settings.current.notifications;
  const notifications = new HoldNotifications({ events, broker, log, desktop, setting });
  cleanup.defer(() => notifications.close());
  const notifying = cleanup.use(new Notifying({ ...parts, notices: new Notices(database) }));
  return { contracts: { callbacks: notifying.replies }, handlers: handlersOf(notifying, record) };
}

function handlersOf(notifying: Notifying, record: RecordControl): Pick<ControlHandlers, Methods> {
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
