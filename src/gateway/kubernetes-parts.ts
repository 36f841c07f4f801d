// What the daemon has for Kubernetes beside judging, made from its other parts: the effects of held requests, the
// recordings of sessions and the ways back of changes. A part of start.ts.

import { Effects } from "../features/effects/effects.ts";
import { Recordings } from "../features/recording/recordings.ts";
import { Undo } from "../features/undo/undo.ts";
import { UndoStore } from "../features/undo/undo-store.ts";
import type { DiskRoom } from "../state/disk-room.ts";
import type { Log } from "../state/log/log.ts";
import type { StatePaths } from "../state/paths.ts";
import type { PolicyStore } from "../state/policy-store.ts";
import type { SettingsStore } from "../state/settings/settings-store.ts";
import type { Upstreams } from "../state/tables/upstreams.ts";
import type { Recorder } from "./request/records/recorder.ts";

/** The daemon's other parts. */
export interface OtherParts {
  readonly paths: StatePaths;
  readonly settings: SettingsStore;
  readonly policy: PolicyStore;
  readonly upstreams: Upstreams;
  readonly recorder: Recorder;
  readonly disk: DiskRoom;
  readonly log: Log;
}

/** Makes them; recordings that are too old are removed beside the start. */
export function kubernetesParts(
  cleanup: AsyncDisposableStack,
  { paths, settings, policy, upstreams, recorder, disk, log }: OtherParts,
): { readonly effects: Effects; readonly sessions: Recordings; readonly wayBack: Undo } {
  const effects = new Effects({
    settings: () => settings.current,
    policy: () => policy.current,
    isRegistered: (host, port) => upstreams.get(host, port) !== undefined,
    log: (message, fields) => log.debug(message, fields),
  });
  const sessions = new Recordings({
    directory: paths.recordings,
    settings: () => settings.current,
    isDiskFull: () => disk.isReserved,
    ended: (ask, id, { seconds, exitCode, octets, problem }) =>
      recorder.sessionEnded(ask, {
        recording: id,
        duration_ms: Math.round(seconds * 1000),
        octets,
        ...(exitCode === undefined ? {} : { exit_code: exitCode }),
        ...(problem === undefined ? {} : { reason: problem }),
      }),
    log: (message, fields) => log.warn(message, fields),
  });
  const wayBack = new Undo({
    store: new UndoStore(paths.undo, paths.undoKey),
    settings: () => settings.current,
    policy: () => policy.current,
    isRegistered: (host, port) => upstreams.get(host, port) !== undefined,
    log: (message, fields) => log.warn(message, fields),
  });
  cleanup.defer(() => wayBack.close());
  cleanup.defer(() => sessions.close());
  void sessions.sweep();
  return { effects, sessions, wayBack };
}
