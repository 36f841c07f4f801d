// The control methods about settings. A new address to listen on is tried before it is
// written, so that the file never names one that cannot be had. A password in a proxy's
// URL leaves the daemon masked.

import type { SettingChange } from "../../api/daemon-reports.ts";
import type { ControlHandlers } from "../../api/handlers.ts";
import { isLoopbackAddress } from "../../match/destination.ts";
import { UserError } from "../../model/user-error.ts";
import { maskValues } from "../../redaction/secret-value.ts";
import { readSetting, type Settings } from "../../state/settings/settings.ts";
import type { Offers } from "../daemon-part.ts";
import type { Listener } from "../front/listener.ts";
import type { Gateway } from "../request/context.ts";
import type { RecordControl } from "../request/records/record-control.ts";

type Methods = "settings_get" | "settings_set" | "settings_reload";

/** Handlers of the settings methods. */
export function settingsHandlers(
  gateway: Gateway,
  {
    listener,
    hasDesktop,
    checkGuardSetting,
  }: Pick<Offers, "checkGuardSetting"> & { readonly listener: Listener; readonly hasDesktop: boolean },
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
  const { settings } = gateway;

  return {
    settings_get: () => ({
      settings: Object.fromEntries(
        Object.entries(settings.current).map(([name, value]) => [name, masked(value)]),
      ),
    }),

    settings_set: async ({ name, value }, caller): Promise<SettingChange> => {
      const reading = readSetting(name, value);
      if ("problem" in reading) throw new UserError(reading.problem, { exitCode: 2 });
      if (name === "approval_guard") checkGuardSetting(reading.value);
      const before = settings.current;
      if (name === "proxy_listen") listener.rebind(value);
      let after: Settings;
      try {
        after = await settings.set(name, value, caller.presence !== undefined);
      } catch (error) {
        listener.rebind(before.proxy_listen);
        throw error;
      }
      const key = name as keyof Settings;
      const change = { name, value: masked(after[key]), previous: masked(before[key]) };
      record(caller, "settings set", change);
      const note = noteOn(after, key, listener.listen, hasDesktop);
      return { ...change, ...(note === undefined ? {} : { note }) };
    },

    settings_reload: async (_input, caller) => {
      const before = settings.current;
      const after = await settings.reload(caller.presence !== undefined);
      // Again, should the address not have been free when the file changed.
      listener.rebind(after.proxy_listen);
      record(caller, "settings reload", { proxy_listen: listener.listen });
      return { proxy_listen: listener.listen, changed: JSON.stringify(after) !== JSON.stringify(before) };
    },
  };
}

/** Warns when a changed setting does not take effect the way one might expect. */
function noteOn(
  settings: Settings,
  name: keyof Settings,
  listen: string,
  hasDesktop: boolean,
): string | undefined {
  switch (name) {
    case "default_mode":
      return "the mode at the next start; for now: iddio set-proxy-mode";
    case "proxy_listen":
      return isLocalOnly(listen)
        ? `the proxy listens on ${listen} now; shells keep the old address until: eval "$(iddio shell-init)"`
        : `the proxy listens on ${listen} now, where other machines may reach it and use it`;
    case "approval_timeout":
      return "requests that wait already keep their time";
    case "detector":
      return settings.detector === "off"
        ? undefined
        : `hosts whose certificate fails are from now on passed unread for ${settings.detector_ttl}`;
    case "notifications":
      return settings.notifications !== "off" && !hasDesktop
        ? "the daemon finds no desktop session that could show any"
        : undefined;
    case "approval_guard":
      return settings.approval_guard === "off"
        ? "from now on anyone who runs iddio approval allow decides, agents too"
        : undefined;
    case "telemetry_opt_in":
      return "stored only: iddio never sends anything";
    default:
      return undefined;
  }
}

/** Whether only this machine reaches what listens there. */
function isLocalOnly(listen: string): boolean {
  const host = listen.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  const isEverywhere = host === "0.0.0.0" || host === "::";
  return host === "localhost" || (isLoopbackAddress(host) && !isEverywhere);
}

/** Without secrets: the user and password of a URL. */
function masked(value: unknown): unknown {
  return typeof value === "string" ? maskValues(value) : value;
}
