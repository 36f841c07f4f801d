// Agents in sandboxes, how far each is kept from deciding for itself, and its last act; and how to
// put others there. An agent chooses its own name.

import { useEffect, useState } from "preact/hooks";
import type { LogRow } from "../../../../api/methods/pages.ts";
import { call } from "../net/call.ts";
import { CliLine } from "../parts/cli-line.tsx";
import { Empty, ProblemNotice } from "../parts/empty.tsx";
import { LogTable } from "../parts/log-table.tsx";
import { ActButton, Page, Section } from "../parts/page.tsx";
import { Raise } from "../parts/raise.tsx";
import { Safe } from "../parts/safe-text.tsx";
import { say } from "../parts/toast.tsx";
import { ago } from "../state/clock.ts";
import { useLoaded } from "../state/load.ts";

/** The page. */
export function RunsPage() {
  const runs = useLoaded("runs_list", {}, ["run_started", "run_ended"]);
  const guard = useLoaded("guard_status", {}, ["guard_changed", "run_started", "run_ended"]);
  const list = runs.value.value?.runs;
  const outside = guard.value.value;
  return (
    <Page
      title="Runs and agents"
      about="Agents under iddio run see no socket, no state and no direct network"
    >
      <ProblemNotice error={runs.problem.value} />
      {list?.length === 0 ? (
        <Empty icon="runs" title="No agent runs in a sandbox">
          <p>
            An agent in a sandbox cannot answer its own requests, change the policy or reach anything past
            iddio.
          </p>
          <p>
            <CliLine line="iddio run claude" />
          </p>
          <p>
            <CliLine label="What this machine can do" line="iddio run --check" />
          </p>
        </Empty>
      ) : null}
      <div class="blocks">
        {(list ?? []).map((run) => (
          <section key={run.id} class="card">
            <div class="row">
              <h2>
                <Safe text={run.name} />
              </h2>
              {run.level === undefined ? null : <span class="run">{run.level}</span>}
              <span class="muted">
                {run.profile}, since {ago(run.started_ms)}
              </span>
              <span class="spacer" />
              <ActButton
                class="deny"
                act={() => call("runs_stop", { run: run.id }).then(() => say(`${run.name} is stopped`))}
              >
                Stop
              </ActButton>
            </div>
            <p class="mono">
              <Safe text={run.command} />
            </p>
            <Recent run={run.name} />
          </section>
        ))}
      </div>
      <Section title="Outside of a sandbox">
        {outside === undefined ? null : (
          <p>
            <b>{outside.level}</b>: {outside.why}. <Raise text={outside.raise} />
          </p>
        )}
        <p>
          <CliLine label="Agents that ask before they run a command" line="iddio hooks doctor" />
        </p>
      </Section>
    </Page>
  );
}

function Recent({ run }: { readonly run: string }) {
  const [rows, setRows] = useState<readonly LogRow[]>([]);
  useEffect(() => {
    const read = () => {
      call("audit_read", { log: "audit", limit: 5, filter: { run } }).then(
        (page) => setRows(page.rows),
        () => undefined,
      );
    };
    read();
    const timer = setInterval(read, 3_000);
    return () => clearInterval(timer);
  }, [run]);
  return rows.length === 0 ? <p class="muted">It has asked for nothing yet.</p> : <LogTable rows={rows} />;
}
