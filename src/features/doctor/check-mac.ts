// doctor: restrictions of macOS on background programs: it keeps them from the local network, and
// files their notifications where nobody looks. Neither can be asked for; the first shows in the
// daemon's failures.

import { existsSync } from "node:fs";
import type { CheckContext, Finding } from "../../cli/kit/check.ts";
import { LOCAL_NETWORK_REFUSED } from "../../gateway/upstream/dial/local-network.ts";
import { readLast } from "../../state/journal/read.ts";

const DAY_MS = 86_400_000;

/** Whether macOS has kept the daemon from an upstream on the local network within a day. */
export async function checkLocalNetwork({ paths, nowMs }: CheckContext): Promise<Finding> {
  const about = { check: "local network", lookedAt: paths.audit };
  const [last] = existsSync(paths.audit)
    ? await readLast(paths.audit, {
        last: 1,
        sinceMs: nowMs - DAY_MS,
        filter: ({ fields }) => JSON.stringify(fields).includes(LOCAL_NETWORK_REFUSED),
      })
    : [];
  if (last === undefined)
    return { ...about, verdict: "ok", detail: "no upstream on it was kept from the daemon in the last day" };
  return {
    ...about,
    verdict: "warn",
    detail: `macOS kept the daemon from ${last.fields.host ?? "an upstream"} at ${new Date(last.timestamp_ms).toISOString()}`,
    fix: "allow iddio-daemon in System Settings > Privacy & Security > Local Network, then: iddio repair",
  };
}

/** Says that no program can look up whether notifications are seen. */
export async function checkNotifications({ service }: CheckContext): Promise<Finding> {
  const about = { check: "notifications", lookedAt: "osascript" };
  if (service?.unit.includes("<string>Background</string>") === true)
    return {
      ...about,
      verdict: "warn",
      detail: "cannot be seen: the daemon runs without a session at the screen",
      fix: "decide with: iddio approval watch",
    };
  return {
    ...about,
    verdict: "ok",
    detail: "macOS does not say whether they are shown; send one: iddio doctor --notify",
  };
}
