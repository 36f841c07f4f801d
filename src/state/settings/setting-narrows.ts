// Whether a change of a setting lets nothing through that was not let through before. Only plainly
// stricter changes are listed; every other change of every other setting counts as wider.

import type { SettingName, Settings } from "./settings.ts";

/** Values from the strictest on; moving towards the front narrows. */
const STRICTEST_FIRST: { readonly [N in SettingName]?: readonly Settings[N][] } = {
  default_mode: ["enforce"],
  audit_passthrough: ["metadata", "off"],
  audit_chain: ["on", "off"],
  audit_failure: ["closed", "open"],
  detector: ["off", "generic", "all"],
  effect_pin: ["on", "off"],
  record_sessions: ["full", "metadata", "off"],
  record_port_forward: ["full", "metadata", "off"],
  recording_failure: ["closed", "open"],
  undo_failure: ["closed", "sensitive", "open"],
  notifications: ["alert", "on", "off"],
  telemetry_opt_in: [false, true],
  console_listen: ["off"],
};

/** How much each guard asks for; of two factors neither is more than the other. */
const GUARD_STRENGTH: Readonly<Record<Settings["approval_guard"], number>> = {
  off: 0,
  session: 1,
  totp: 2,
  passkey: 2,
};

/** Whether one setting with another value is at least as strict. */
export function isNarrowerSetting(name: SettingName, before: unknown, after: unknown): boolean {
  if (before === after) return true;
  if (name === "approval_guard") {
    const strength = (value: unknown) => GUARD_STRENGTH[value as Settings["approval_guard"]] ?? -1;
    return strength(after) > strength(before);
  }
  const order = STRICTEST_FIRST[name] as readonly unknown[] | undefined;
  const [old, fresh] = [order?.indexOf(before) ?? -1, order?.indexOf(after) ?? -1];
  return fresh >= 0 && (old < 0 || fresh < old);
}

/** Whether all settings together are at least as strict. */
export function areNarrowerSettings(before: Settings, after: Settings): boolean {
  return (Object.keys(after) as SettingName[]).every((name) =>
    isNarrowerSetting(name, before[name], after[name]),
  );
}
