// Shows the recorded sessions of agents in containers and on hosts: the list, a replay, a look over
// the shoulder of a session that lasts, and its end. A recording holds an agent's screen; the
// daemon asks who may see it.

import type { SessionReport } from "../../../../api/session-report.ts";
import { placeOfSession } from "../../../../api/session-report.ts";
import { call } from "../net/call.ts";
import { CliLine } from "../parts/cli-line.tsx";
import { Empty } from "../parts/empty.tsx";
import { ForPerson } from "../parts/for-person.tsx";
import { Icon } from "../parts/icon.tsx";
import { ActButton, Page } from "../parts/page.tsx";
import { Safe } from "../parts/safe-text.tsx";
import { say } from "../parts/toast.tsx";
import { clockTime } from "../state/clock.ts";
import { useLook } from "../state/look.ts";
import { goTo, hrefOf, route } from "../state/route.ts";
import { Screen } from "./screen.tsx";

/** The page. */
export function RecordingsPage() {
  const look = useLook("sessions_list", {});
  const list = look.value?.sessions;
  const open = list?.find(({ id }) => id === route.value.rest);
  return (
    <Page
      title="Recordings"
      about="Recordings of agents' sessions in containers and on hosts"
      actions={
        list === undefined ? undefined : (
          <button type="button" onClick={look.reload}>
            Look again
          </button>
        )
      }
    >
      <ForPerson
        look={look}
        what="Show the recordings"
        why="A recording shows what an agent saw, so a person is asked for first."
      />
      {list?.length === 0 ? (
        <Empty icon="recordings" title="Nothing was recorded yet">
          <p>
            When an agent runs a command in a container (<code>kubectl exec</code>) or on a host through
            iddio, its session is kept here and can be played.
          </p>
          <p>
            <CliLine label="How much is kept" line="iddio settings set record_sessions=full" />
          </p>
        </Empty>
      ) : null}
      {open === undefined ? null : <Open key={open.id} session={open} onEnded={look.reload} />}
      {list === undefined || list.length === 0 ? null : (
        <ul class="lines recordings" aria-label="Recorded sessions">
          {list.map((each) => (
            <Line key={each.id} session={each} isOpen={each.id === open?.id} />
          ))}
        </ul>
      )}
      <p class="page-foot">
        <CliLine label="In a terminal" line="iddio session list" />
      </p>
    </Page>
  );
}

function Line({ session, isOpen }: { readonly session: SessionReport; readonly isOpen: boolean }) {
  const { id, run, argv, started_ms } = session;
  return (
    <li>
      <a
        class="record-line"
        href={hrefOf("recordings", id)}
        aria-current={isOpen ? "true" : undefined}
        onClick={(event) => {
          event.preventDefault();
          goTo("recordings", id, true);
        }}
      >
        <time class="muted">{clockTime(started_ms)}</time>
        <span class="record-what">
          <b class="mono">
            <Safe text={argv.length === 0 ? session.kind : argv.join(" ")} />
          </b>{" "}
          <span class="muted">
            <Safe text={placeOfSession(session)} />
          </span>
        </span>
        {run === undefined ? null : (
          <span class="run">
            <Safe text={run} />
          </span>
        )}
        <State session={session} />
      </a>
    </li>
  );
}

function State({ session: { state, exit_code, seconds } }: { readonly session: SessionReport }) {
  if (state === "open")
    return (
      <span class="record-state">
        <span class="live" /> live
      </span>
    );
  const parts = [
    state === "truncated" ? "cut off" : undefined,
    exit_code === undefined || exit_code === 0 ? undefined : `exit code ${exit_code}`,
    seconds === undefined ? undefined : lasted(seconds),
  ];
  return <span class="record-state muted">{parts.filter((part) => part !== undefined).join(", ")}</span>;
}

function lasted(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

function Open({ session, onEnded }: { readonly session: SessionReport; readonly onEnded: () => void }) {
  const { id, state, container, problem, approval_id } = session;
  return (
    <section class="card record" aria-label="The recording">
      <header class="row">
        <h2 class="mono">
          <Safe text={session.argv.length === 0 ? session.kind : session.argv.join(" ")} />
        </h2>
        <span class="spacer" />
        {state === "open" ? (
          <ActButton
            class="deny"
            act={() =>
              call("sessions_end", { id }).then(() => {
                say("The session is ended");
                onEnded();
              })
            }
          >
            <Icon name="close" /> End this session
          </ActButton>
        ) : null}
        <button type="button" class="quiet" onClick={() => goTo("recordings", "", true)}>
          <Icon name="close" /> Close
        </button>
      </header>
      <p class="muted">
        <Safe
          text={[
            placeOfSession(session),
            container === undefined ? "" : `container ${container}`,
            session.run === undefined ? "" : `run ${session.run}`,
            session.user === undefined ? "" : `user ${session.user}`,
            clockTime(session.started_ms),
          ]
            .filter((part) => part !== "")
            .join(" · ")}
        />
      </p>
      {problem === undefined ? null : (
        <p class="problem">
          <Icon name="warning" />
          <Safe text={problem} />
        </p>
      )}
      <Screen session={session} onOver={onEnded} />
      <p class="row">
        <CliLine line={`iddio session ${state === "open" ? "follow" : "replay"} ${id}`} />
        {approval_id === undefined ? null : <span class="muted">allowed as {approval_id}</span>}
      </p>
    </section>
  );
}
