// A bounded time in which everything is judged and recorded and nothing is blocked: start and stop
// it, watch the would-be decisions, and turn the rows into rules.

import { useEffect, useMemo } from "preact/hooks";
import type { LogRow } from "../../../../api/methods/pages.ts";
import { call, readLog } from "../net/call.ts";
import { onEvent, onRefresh } from "../net/events.ts";
import { CliLine } from "../parts/cli-line.tsx";
import { Empty, ProblemNotice } from "../parts/empty.tsx";
import { LogTable } from "../parts/log-table.tsx";
import { ActButton, Page, Section } from "../parts/page.tsx";
import { Safe } from "../parts/safe-text.tsx";
import { say } from "../parts/toast.tsx";
import { withCommand } from "../policy/outline.ts";
import { propose } from "../policy/policy-page.tsx";
import { countdown, now } from "../state/clock.ts";
import { useLoaded } from "../state/load.ts";
import { LogRows } from "../state/log-rows.ts";

const PERIODS = [
  ["15 minutes", 900_000],
  ["1 hour", 3_600_000],
  ["8 hours", 28_800_000],
] as const;

/** The page. */
export function ObservePage() {
  const status = useLoaded("observe_status", {}, ["observe_started", "observe_ended", "proxy_mode_changed"]);
  const found = status.value.value;
  const sinceMs = found?.started_ms ?? found?.last?.started_ms;
  const rows = useMemo(
    () => new LogRows({ log: "observe", filter: {}, ...(sinceMs === undefined ? {} : { sinceMs }) }, readLog),
    [sinceMs],
  );
  useEffect(() => {
    void rows.readOn();
    const read = () => void rows.readNew().catch(() => undefined);
    const timer = setInterval(read, 1_500);
    const stops = [onRefresh(read), onEvent(({ tag }) => (tag === "observe_ended" ? read() : undefined))];
    return () => {
      clearInterval(timer);
      rows.close();
      for (const stop of stops) stop();
    };
  }, [rows]);
  const list = rows.rows.value;
  return (
    <Page title="Observe" about="A trial: everything is judged and recorded, nothing is blocked">
      <ProblemNotice error={status.problem.value} />
      {found === undefined ? null : found.active ? (
        <div class="card row banner">
          <span class="live" />
          <span>
            <b>A session runs.</b> Nothing is blocked; it ends by itself in{" "}
            {countdown((found.ends_ms ?? 0) - now.value)}, and {found.previous_mode} comes back.
          </span>
          <span class="spacer" />
          <ActButton act={() => call("observe_stop", {}).then(() => say("Stopped"))}>Stop now</ActButton>
        </div>
      ) : (
        <div class="card row">
          <span>
            The mode is <b>{found.proxy_mode}</b>. Start a session for
          </span>
          {PERIODS.map(([label, ms]) => (
            <ActButton
              key={ms}
              act={() =>
                call("observe_start", { duration_ms: ms }).then(() => say("Started: nothing is blocked now"))
              }
            >
              {label}
            </ActButton>
          ))}
          <span class="spacer" />
          <CliLine line="iddio observe start --duration 1h" />
        </div>
      )}
      {list.length === 0 ? (
        <Empty icon="observe" title="Nothing was seen">
          <p>
            While a session runs, every request that would have been held or refused appears here with what
            the policy would have said. Afterwards, each can become a rule.
          </p>
        </Empty>
      ) : (
        <>
          <Section
            title="What would have been decided"
            about="The same commands together, the most frequent first"
          >
            <Suggestions rows={list} />
          </Section>
          <Section title="One by one">
            <LogTable rows={list} />
          </Section>
        </>
      )}
    </Page>
  );
}

interface Seen {
  readonly protocol: string;
  readonly command: string;
  readonly decision: string;
  count: number;
}

/** Commands that were seen, each with a rule that would let it through. */
function Suggestions({ rows }: { readonly rows: readonly LogRow[] }) {
  const seen = new Map<string, Seen>();
  for (const { fields } of rows) {
    const [protocol, command, decision] = [fields.protocol, fields.command, fields.decision].map((each) =>
      typeof each === "string" ? each : "",
    );
    if (protocol === undefined || command === undefined || decision === undefined || command === "") continue;
    const key = JSON.stringify([protocol, command, decision]);
    const known = seen.get(key);
    if (known === undefined) seen.set(key, { protocol, command, decision, count: 1 });
    else known.count += 1;
  }
  const list = [...seen.values()].sort((a, b) => b.count - a.count).slice(0, 100);
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">Times</th>
          <th scope="col">Command</th>
          <th scope="col">Would be</th>
          <th scope="col">
            <span class="visually-hidden">Rule</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {list.map(({ protocol, command, decision, count }) => (
          <tr key={protocol + command + decision}>
            <td class="number">{count}</td>
            <td>
              <span class="mono">
                <Safe text={command} />
              </span>{" "}
              <small class="muted">{protocol}</small>
            </td>
            <td>
              <span class={`action-${decision}`}>{decision}</span>
            </td>
            <td>
              {decision === "allow" ? null : (
                <ActButton
                  class="quiet"
                  act={() => propose((text) => withCommand(text, protocol, command, "allow"))}
                >
                  Allow by a rule
                </ActButton>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
