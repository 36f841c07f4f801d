// Carries out the consequences of a change of mode, policy, settings or pins: listeners are told,
// splices that would now be intercepted are closed, waiting asks are judged again, and the proxy
// moves to its new address. A change that cannot be carried out is reported, never thrown.

import type { PolicyStore } from "../../state/policy-store.ts";
import type { Settings } from "../../state/settings/settings.ts";
import type { Listener } from "../front/listener.ts";
import type { Events } from "../request/records/events.ts";

/** Connects the stores to events, log and open splices, for the life of the daemon. */
export function announceChanges(parts: {
  readonly listener: Listener;
  readonly policy: PolicyStore;
  readonly events: Events;
}): void {
  const { listener, policy, events } = parts;
  const { mode, settings, pins, detector, splices, broker, log } = listener.gateway;
  const sweep = () => {
    const closed = splices.sweep();
    if (closed > 0) log.info("splices closed: their hosts are intercepted now", { count: closed });
  };
  pins.onChange(sweep);
  detector.onUnpin(sweep);
  mode.onChange((current, previous) => {
    sweep();
    events.publish("proxy_mode_changed", { proxy_mode: current, previous });
    log.info("proxy mode changed", { proxy_mode: current, previous });
  });
  policy.onChange((change) => {
    if (change.kind === "loaded") {
      sweep();
      broker.judgeAgain();
      const { revision, removed } = change;
      events.publish("policy_reloaded", {
        revision,
        ...(removed.length === 0 ? {} : { no_longer_inspected: removed.slice(0, 50).join(", ") }),
      });
      log.info("policy loaded", { revision });
      if (removed.length > 0)
        log.warn("hosts are no longer inspected", { revision, entries: removed.slice(0, 50).join(", ") });
    } else if (change.kind === "waiting") {
      events.publish("policy_waiting", { problem: change.problem });
      log.warn("policy.yaml is not in force", { problem: change.problem });
    } else {
      events.publish("policy_reload_failed", { problem: change.problem });
      log.warn("policy.yaml failed to reload, the last good one stays in force", { problem: change.problem });
    }
  });
  settings.onChange((change) => {
    if (change.kind === "waiting") {
      events.publish("settings_waiting", { problem: change.problem });
      log.warn("settings.yaml is not in force", { problem: change.problem });
      return;
    }
    if (change.kind === "failed") {
      events.publish("settings_reload_failed", { problem: change.problem });
      log.warn("settings.yaml failed to reload, the last good ones stay in force", {
        problem: change.problem,
      });
      return;
    }
    const changed = changedNames(change.settings, change.previous);
    log.level = change.settings.log_level;
    log.info("settings loaded", { changed: changed.join(" ") });
    sweep();
    events.publish("settings_reloaded", { changed });
    try {
      listener.rebind(change.settings.proxy_listen);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      events.publish("settings_reload_failed", { problem });
      log.warn("the proxy stays where it is", { listen: listener.listen, problem });
    }
  });
}

/** Names only: a value may hold a password. */
function changedNames(settings: Settings, previous: Settings): string[] {
  return Object.keys(settings).filter(
    (name) => settings[name as keyof Settings] !== previous[name as keyof Settings],
  );
}
