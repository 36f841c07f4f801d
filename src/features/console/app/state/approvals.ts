// The waiting approvals, and the details of the selected one. An answer is only possible to a
// request whose details were on the screen, and not in the half second after another one was
// selected: a click must not land on a request that has just come.

import { computed, effect, signal } from "@preact/signals";
import type { Approval, ApprovalDetails } from "../../../../api/reports.ts";
import { call } from "../net/call.ts";
import { onEvent } from "../net/events.ts";
import { now } from "./clock.ts";
import { follow, loading } from "./load.ts";

/** How one ended while the page was open, for its place in the list. */
export type Ended = "approved" | "denied" | "timed_out" | "withdrawn" | "revoked";

/** All that waits, oldest first. */
export const waiting = loading(async () => (await call("approvals_list", {})).approvals);
/** Approvals that ended undecided and can still be let through once. */
export const ended = loading(async () => (await call("approvals_ended", {})).approvals);

/** How many wait; undefined before that is known. */
export const waitingCount = computed(() => waiting.value.value?.length);

/** The one that is looked at: kept when it ends, so that nothing moves under the pointer. */
export const selected = signal<Approval | undefined>(undefined);
/** Its details, once they are there. */
export const details = signal<ApprovalDetails | undefined>(undefined);
/** Why details cannot be shown. */
export const detailsProblem = signal<string | undefined>(undefined);
/** How the selected one ended, if it did. */
export const selectedEnd = signal<Ended | undefined>(undefined);
/** Digest of the details that have been painted. */
export const painted = signal<string | undefined>(undefined);

const GUARD_MS = 500;
const PROCESS_MS = 700;
const PROCESS_LATE_MS = 20_000;
const selectedAt = signal(0);
const guardOver = signal(true);

/** Whether keys and buttons answer now. */
export const isReady = computed(
  () => details.value !== undefined && painted.value === keyOf(details.value) && guardOver.value,
);

/** Names the painted approval: another request under the id is another key. */
export function keyOf({ id, digest }: Pick<Approval, "id" | "digest">): string {
  return `${id} ${digest ?? ""}`;
}

/** Looks at another one. */
export function select(approval: Approval | undefined): void {
  if (approval !== undefined && selected.value !== undefined && keyOf(approval) === keyOf(selected.value))
    return;
  lookAt(approval);
}

function lookAt(approval: Approval | undefined): void {
  selected.value = approval;
  details.value = undefined;
  detailsProblem.value = undefined;
  painted.value = undefined;
  selectedEnd.value = undefined;
  startGuard();
  if (approval !== undefined) void readDetails(approval);
}

/** Nothing answers in the half second after what a person would answer to, or their buttons, changed. */
function startGuard(): void {
  guardOver.value = false;
  const at = performance.now();
  selectedAt.value = at;
  setTimeout(() => {
    if (selectedAt.value === at) guardOver.value = true;
  }, GUARD_MS);
}

/**
 * The process that asks was told after the details had been read: they are read once more. The same request may also have
 * ended and wait again, for another process: that is looked at from the beginning.
 */
function completeDetails(): void {
  const shown = details.value;
  const known = shown && waiting.value.value?.find((each) => keyOf(each) === keyOf(shown));
  if (shown === undefined || known === undefined) return;
  if (known.expires_ms > shown.expires_ms) {
    lookAt(known);
    return;
  }
  if (selectedEnd.value !== undefined || shown.client?.pid !== undefined) return;
  if (known.client?.pid === undefined || known === completed) return;
  completed = known;
  startGuard();
  void readDetails(known);
}

let completed: Approval | undefined;

async function readDetails(approval: Approval): Promise<void> {
  const key = keyOf(approval);
  try {
    const { approval: found } = await call("approvals_show", { id: approval.id });
    if (selected.value === undefined || keyOf(selected.value) !== key) return;
    if (keyOf(found) !== key) select(found);
    else {
      details.value = found;
      if (found.ended !== undefined) selectedEnd.value = found.ended;
    }
  } catch (error) {
    if (selected.value !== undefined && keyOf(selected.value) === key)
      detailsProblem.value = error instanceof Error ? error.message : String(error);
  }
}

/** The system tells a moment later which process asks, and so which requests are one command's: the list is read again. */
function readGroups(): void {
  const late = Date.now() - PROCESS_LATE_MS;
  const isOpen = (each: Approval) =>
    each.group === undefined && each.client !== undefined && each.created_ms > late;
  if (waiting.value.value?.some(isOpen) === true) setTimeout(waiting.reload, PROCESS_MS);
}

/** Keeps the list; returns the way to stop. */
export function followApprovals(): () => void {
  const tags = [
    "approval_requested",
    "approval_replied",
    "approval_timed_out",
    "approval_withdrawn",
    "policy_reloaded",
  ] as const;
  const stops = [
    follow(waiting, tags),
    follow(ended, tags),
    effect(readGroups),
    effect(completeDetails),
    onEvent(({ tag, fields }) => {
      if (!tag.startsWith("approval_") || fields.id !== selected.value?.id || tag === "approval_requested")
        return;
      const outcome = String(fields.outcome);
      if (["approved", "denied", "timed_out", "withdrawn", "revoked"].includes(outcome))
        selectedEnd.value = outcome as Ended;
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Time that one has left. */
export function leftMs({ expires_ms }: Approval): number {
  return expires_ms - now.value;
}
