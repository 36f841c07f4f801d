// The self-update of the daemon as a state machine: which state may follow which. Pure; who
// downloads and restarts is gateway/updater.ts. A step that is not allowed from a state is refused,
// so that two updates cannot mix.

/** Where an update is. Sizes are in bytes. */
export type UpdateState =
  | { readonly kind: "idle" }
  | { readonly kind: "checking" }
  | { readonly kind: "available"; readonly version: string }
  | {
      readonly kind: "downloading";
      readonly version: string;
      readonly received: number;
      /** 0 while it is not known. */
      readonly total: number;
    }
  | { readonly kind: "staged"; readonly version: string }
  | { readonly kind: "applying"; readonly version: string }
  | {
      readonly kind: "failed";
      readonly during: "checking" | "downloading" | "applying";
      readonly problem: string;
      readonly version?: string;
    };

/** One step of an update; `nextState` says which state it leads to. */
export type UpdateStep =
  | { readonly kind: "check" }
  | { readonly kind: "current" }
  | { readonly kind: "found"; readonly version: string }
  | { readonly kind: "download" }
  | { readonly kind: "progress"; readonly received: number; readonly total: number }
  | { readonly kind: "downloaded" }
  | { readonly kind: "apply" }
  /** The daemon has been started as this version. */
  | { readonly kind: "started"; readonly version: string }
  | { readonly kind: "fail"; readonly problem: string };

/** The state after a step; undefined when the step is not allowed there, and then nothing has changed. */
export function nextUpdateState(state: UpdateState, step: UpdateStep): UpdateState | undefined {
  switch (step.kind) {
    case "check":
      return isBusy(state) ? undefined : { kind: "checking" };
    case "current":
      return state.kind === "checking" ? { kind: "idle" } : undefined;
    case "found":
      return state.kind === "checking" ? { kind: "available", version: step.version } : undefined;
    case "download":
      return state.kind === "available"
        ? { kind: "downloading", version: state.version, received: 0, total: 0 }
        : undefined;
    case "progress":
      return state.kind === "downloading"
        ? { ...state, received: step.received, total: step.total }
        : undefined;
    case "downloaded":
      return state.kind === "downloading" ? { kind: "staged", version: state.version } : undefined;
    case "apply":
      return state.kind === "staged" ? { kind: "applying", version: state.version } : undefined;
    case "started":
      return afterStart(state, step.version);
    case "fail":
      return failed(state, step.problem);
  }
}

/** Whether something is under way that must end before anything else begins. */
export function isBusy(state: UpdateState): boolean {
  return state.kind === "checking" || state.kind === "downloading" || state.kind === "applying";
}

/** Maps the state that the last daemon left to the state of a daemon that starts now with `version`. */
function afterStart(state: UpdateState, version: string): UpdateState {
  switch (state.kind) {
    case "applying":
      // The old version again: whatever happened, the new one is not what runs.
      return state.version === version
        ? { kind: "idle" }
        : (failed(state, `${state.version} did not come up: ${version} runs again`) ?? { kind: "idle" });
    case "checking":
    case "downloading":
      return { kind: "idle" };
    case "available":
    case "staged":
      return state.version === version ? { kind: "idle" } : state;
    default:
      return state;
  }
}

function failed(state: UpdateState, problem: string): UpdateState | undefined {
  if (state.kind === "checking") return { kind: "failed", during: "checking", problem };
  if (state.kind === "downloading" || state.kind === "applying")
    return { kind: "failed", during: state.kind, problem, version: state.version };
  return undefined;
}

/** Somebody who asks twice in a row gets the first answer again, unless forced. */
const FRESH_MS = 60_000;

/** Whether the last check is so recent that another would say the same. One in the future was dated by a wrong clock. */
export function isFreshCheck(lastCheckMs: number | undefined, nowMs: number): boolean {
  const ageMs = nowMs - (lastCheckMs ?? 0);
  return ageMs >= 0 && ageMs < FRESH_MS;
}
