// Rows of a log, one on each line; each opens to all of its fields. Rows out of sight cost nothing
// to draw. What rows say is text of others.

import { useState } from "preact/hooks";
import type { LogRow } from "../../../../api/methods/pages.ts";
import type { TierOrUnknown } from "../../../../model/tier.ts";
import { clockTime } from "../state/clock.ts";
import { CliLine } from "./cli-line.tsx";
import { Safe, SafeLines } from "./safe-text.tsx";
import { TierBadge } from "./tier-badge.tsx";

/** The table. */
export function LogTable({ rows }: { readonly rows: readonly LogRow[] }) {
  const [open, setOpen] = useState<string>();
  if (rows.length === 0) return null;
  return (
    <ul class="log">
      {rows.map((row) => (
        <Line
          key={row.hash + row.at}
          row={row}
          isOpen={open === row.hash}
          onToggle={() => setOpen(open === row.hash ? undefined : row.hash)}
        />
      ))}
    </ul>
  );
}

function Line({
  row,
  isOpen,
  onToggle,
}: {
  readonly row: LogRow;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}) {
  const { fields, op } = row;
  const outcome = textOf(fields.outcome) ?? textOf(fields.decision) ?? op;
  const tier = textOf(fields.tier) as TierOrUnknown | undefined;
  const client = fields.client as { readonly run?: string; readonly process?: string } | undefined;
  return (
    <li class={isOpen ? "is-open" : ""}>
      <button type="button" class="log-line" aria-expanded={isOpen} onClick={onToggle}>
        <time>{clockTime(row.timestamp_ms)}</time>
        <span class={`outcome outcome-${outcomeKind(outcome)}`}>{outcome.replaceAll("_", " ")}</span>
        <span class="log-tier">
          {tier === undefined ? (
            <span class="muted">{outcome === op ? "" : op}</span>
          ) : (
            <TierBadge tier={tier} />
          )}
        </span>
        <span class="log-what">
          <b>
            <Safe text={nameOf(row)} />
          </b>{" "}
          <span class="muted">
            <Safe text={whereOf(fields)} />
          </span>
        </span>
        <span class="log-who muted">
          <Safe text={client?.run ?? client?.process ?? ""} />
        </span>
      </button>
      {isOpen ? <Everything row={row} /> : null}
    </li>
  );
}

function Everything({ row }: { readonly row: LogRow }) {
  const id = textOf(row.fields.request_id) ?? row.hash;
  return (
    <div class="log-all">
      <dl class="facts">
        <div>
          <dt>time</dt>
          <dd class="mono">{new Date(row.timestamp_ms).toISOString()}</dd>
        </div>
        {Object.entries(row.fields).map(([name, value]) => (
          <div key={name}>
            <dt>
              <Safe text={name.replaceAll("_", " ")} />
            </dt>
            <dd class="mono">
              <SafeLines text={valueText(value)} />
            </dd>
          </div>
        ))}
      </dl>
      <p>
        <CliLine label="As a test of the policy" line={`iddio audit show --as-test ${id}`} />
      </p>
    </div>
  );
}

/** A flat object as a line for each of its fields, anything deeper as JSON. */
function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  const isFlat =
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((each) => typeof each === "string" || typeof each === "number");
  if (!isFlat) return JSON.stringify(value, null, 1);
  return Object.entries(value)
    .map(([name, each]) => `${name}: ${each}`)
    .join("\n");
}

function nameOf({ op, fields }: LogRow): string {
  const [command, method, path] = [textOf(fields.command), textOf(fields.method), textOf(fields.path)];
  if (command !== undefined && command !== "" && command !== method) return command;
  if (method !== undefined) return `${method} ${path ?? ""}`;
  return textOf(fields.reason) ?? op;
}

function whereOf(fields: LogRow["fields"]): string {
  const labels = Object.values((fields.labels ?? {}) as Readonly<Record<string, unknown>>).map(String);
  return [...labels, textOf(fields.host) ?? ""].filter((part) => part !== "").join(" · ");
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Three colours for many words. */
export function outcomeKind(outcome: string): "good" | "asked" | "bad" | "plain" {
  if (["allowed", "allow", "approved", "granted"].includes(outcome)) return "good";
  if (["denied", "refused", "blocked", "failed", "deny", "block"].includes(outcome)) return "bad";
  return ["timed_out", "withdrawn", "escalate", "asked"].includes(outcome) ? "asked" : "plain";
}
