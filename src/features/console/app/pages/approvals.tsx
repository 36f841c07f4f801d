// Home: the waiting approvals, oldest first, with the requests of one process together. A queue,
// not a pop-up. The selection only moves when somebody moves it; when the selected one ends it
// stays where it is and says so.

import { useComputed } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Approval } from "../../../../api/reports.ts";
import { commandGroups } from "../../../../model/command-group.ts";
import { hostText } from "../../../../text/host-port.ts";
import { CliLine } from "../parts/cli-line.tsx";
import { Empty, ProblemNotice } from "../parts/empty.tsx";
import { processText, requestName } from "../parts/facts.ts";
import { Safe } from "../parts/safe-text.tsx";
import { TierBadge } from "../parts/tier-badge.tsx";
import { ended, keyOf, leftMs, select, selected, waiting } from "../state/approvals.ts";
import { countdown } from "../state/clock.ts";
import { goTo, hrefOf, route } from "../state/route.ts";
import { isNarrow } from "../state/select-next.ts";
import { ApprovalDetailsPane } from "./approval-details.tsx";

/** The row that a key selected comes into sight; one that was clicked is there, and the list stays where it is. */
let toSight: string | undefined;

/** The page. */
export function ApprovalsPage() {
  const list = waiting.value.value;
  const late = ended.value.value ?? [];
  const wanted = route.value.rest;
  const drawn = selected.value === undefined ? undefined : keyOf(selected.value);
  useEffect(() => {
    if (list === undefined) return;
    const named = wanted === "" ? undefined : [...list, ...late].find(({ id }) => id === wanted);
    if (named !== undefined) select(named);
    // Nothing is looked at: the oldest is. The open approval is not replaced under the pointer.
    else if (selected.value === undefined && !isNarrow()) select(list[0]);
  }, [list, late, wanted]);
  useEffect(() => {
    if (toSight === undefined || toSight !== drawn) return;
    toSight = undefined;
    document.querySelector(".queue-row.is-selected")?.scrollIntoView({ block: "nearest" });
  }, [drawn]);
  // A step of the selection draws none of the rows again, however many there are.
  const queue = useMemo(() => <Queue approvals={list ?? []} />, [list]);
  if (list === undefined) return <ProblemNotice error={waiting.problem.value} />;
  const isOpen = selected.value !== undefined;
  return (
    <div class={`approvals ${isOpen ? "is-open" : ""}`}>
      <section class="queue" aria-label="Requests that wait">
        <header class="page-head">
          <h1>Approvals</h1>
          <p class="muted" role="status">
            {list.length === 0
              ? "Nothing waits"
              : list.length === 1
                ? "1 waits"
                : `${list.length} wait, oldest first`}
          </p>
        </header>
        {list.length === 0 && late.length === 0 ? <NothingWaits /> : null}
        {queue}
        {late.length === 0 ? null : (
          <section class="late">
            <h2>Ended, and can still be let through once</h2>
            <ul class="queue-list">
              {late.map((each) => (
                <Row
                  key={keyOf(each)}
                  approval={each}
                  note={each.ended === "timed_out" ? "timed out" : "client left"}
                />
              ))}
            </ul>
          </section>
        )}
      </section>
      {isOpen ? <ApprovalDetailsPane /> : <NothingSelected hasAny={list.length > 0} />}
    </div>
  );
}

/** Requests of one process in a row are one command's. */
function Queue({ approvals }: { readonly approvals: readonly Approval[] }) {
  return (
    <ul class="queue-list">
      {commandGroups(approvals).map((group) => {
        const [first] = group;
        if (first === undefined) return null;
        if (group.length === 1) return <Row key={keyOf(first)} approval={first} />;
        return (
          <li key={keyOf(first)} class="group">
            <p class="group-head">
              <strong>
                <Safe text={processText(first.client ?? {})} />
              </strong>{" "}
              asks {group.length} times: one command
            </p>
            <ul class="queue-list">
              {group.map((each) => (
                <Row key={keyOf(each)} approval={each} />
              ))}
            </ul>
          </li>
        );
      })}
    </ul>
  );
}

function Row({ approval, note }: { readonly approval: Approval; readonly note?: string }) {
  const key = keyOf(approval);
  const isSelected = useComputed(() => selected.value !== undefined && keyOf(selected.value) === key);
  const look = useComputed(() => (isSelected.value ? "queue-row is-selected" : "queue-row"));
  const current = useComputed(() => (isSelected.value ? "true" : undefined));
  const labels = Object.entries(approval.labels);
  return (
    <li>
      <a
        class={look}
        href={hrefOf("approvals", approval.id)}
        aria-current={current}
        onClick={(event) => {
          event.preventDefault();
          select(approval);
          goTo("approvals", approval.id, true);
        }}
      >
        <span class="queue-top">
          <TierBadge tier={approval.tier} />
          {note === undefined ? <Left approval={approval} /> : <span class="left">{note}</span>}
        </span>
        <span class="queue-command">
          <Safe text={requestName(approval)} />
        </span>
        {approval.object === undefined ? (
          approval.path === "" || requestName(approval).endsWith(approval.path) ? null : (
            // The end of a path names its subject.
            <span class="queue-path mono">
              <bdi>
                <Safe text={approval.path} />
              </bdi>
            </span>
          )
        ) : (
          <span class="queue-object">
            <Safe text={approval.object} />
          </span>
        )}
        <span class="queue-where">
          {approval.client?.run === undefined ? null : (
            <span class="run">
              <Safe text={approval.client.run} />
            </span>
          )}
          {labels.map(([name, value]) => (
            <span key={name}>
              <Safe text={value} />
            </span>
          ))}
          <span>
            <Safe text={hostText(approval)} />
          </span>
        </span>
        {note === undefined ? <LeftBar approval={approval} /> : null}
      </a>
    </li>
  );
}

/** Counts down by itself: a tick of the clock draws no row again, however many there are. */
function Left({ approval }: { readonly approval: Approval }) {
  const text = useComputed(() => countdown(leftMs(approval)));
  const look = useComputed(() => (leftMs(approval) < 10_000 ? "left hurry" : "left"));
  return <time class={look}>{text}</time>;
}

function LeftBar({ approval }: { readonly approval: Approval }) {
  const value = useComputed(() => Math.max(0, leftMs(approval)));
  const whole = approval.expires_ms - approval.created_ms;
  return <progress class="queue-time" max={whole} value={value} aria-hidden="true" />;
}

function NothingWaits() {
  return (
    <Empty icon="approvals" title="Nothing waits for you">
      <p>
        When an agent asks for something that your policy does not simply allow, it appears here and the agent
        waits. Leave this page open: the tab shows the count.
      </p>
      <p>
        <CliLine label="In a terminal" line="iddio approval watch" />
      </p>
    </Empty>
  );
}

function NothingSelected({ hasAny }: { readonly hasAny: boolean }) {
  return (
    <section class="details details-none" aria-label="Details">
      <p class="muted">
        {hasAny ? "Choose a request to see all of it." : "Requests are shown here, whole, before you answer."}
      </p>
      <p class="muted keys">
        <kbd>j</kbd> <kbd>k</kbd> move <kbd>a</kbd> allow <kbd>d</kbd> deny <kbd>?</kbd> all keys
      </p>
    </section>
  );
}

/** Moves the selection by so many rows. */
export function moveSelection(by: number): void {
  // In the order of the screen.
  const list = [...commandGroups(waiting.value.value ?? []).flat(), ...(ended.value.value ?? [])];
  const at = list.findIndex((each) => selected.value !== undefined && keyOf(each) === keyOf(selected.value));
  const next = list[at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + by))];
  if (next === undefined) return;
  select(next);
  goTo("approvals", next.id, true);
  toSight = keyOf(next);
}
