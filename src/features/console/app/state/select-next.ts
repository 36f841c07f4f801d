// Which approval is selected after an answer. In a file of its own: the page and the bar of answers
// both need it, and neither may import the other.

import { keyOf, select, selected, selectedEnd, waiting } from "./approvals.ts";
import { goTo, route } from "./route.ts";

/** Whether the page has no room for list and details side by side. */
export function isNarrow(): boolean {
  return matchMedia("(max-width: 860px)").matches;
}

/** Goes on to the oldest one after an answer, where there is room to show both. */
export function selectNext(): void {
  // Somebody may have gone to another page meanwhile, and stays there.
  if (route.value.page !== "approvals") {
    select(undefined);
    return;
  }
  const list = waiting.value.value ?? [];
  const next = list.find((each) => selected.value === undefined || keyOf(each) !== keyOf(selected.value));
  const isDone = selectedEnd.value === "approved" || selectedEnd.value === "denied";
  // With nothing left the pane is free for the next approval: nobody has to look for it.
  if (isNarrow() || (next === undefined && isDone)) {
    select(undefined);
    goTo("approvals", "", true);
  } else if (next !== undefined && selectedEnd.value !== undefined) {
    select(next);
    goTo("approvals", next.id, true);
  }
}
