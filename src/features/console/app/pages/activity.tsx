// The audit log, live, with filters and a histogram over time. It reads the file a piece at a time,
// so the length of the log does not matter.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { LogFilter, LogRow } from "../../../../api/methods/pages.ts";
import { ENTRY_OPS } from "../../../../model/entry.ts";
import { OUTCOMES } from "../../../../model/outcome.ts";
import { PROTOCOLS } from "../../../../model/protocol.ts";
import { TIERS } from "../../../../model/tier.ts";
import { call, readLog } from "../net/call.ts";
import { onEvent, onRefresh } from "../net/events.ts";
import { CliLine } from "../parts/cli-line.tsx";
import { Empty, ProblemNotice } from "../parts/empty.tsx";
import { Icon } from "../parts/icon.tsx";
import { LogTable } from "../parts/log-table.tsx";
import { Page } from "../parts/page.tsx";
import { sayProblem } from "../parts/toast.tsx";
import { LogRows } from "../state/log-rows.ts";
import { Histogram } from "./histogram.tsx";

const PERIODS = [
  ["1 hour", 3_600_000],
  ["24 hours", 86_400_000],
  ["7 days", 604_800_000],
  ["all", 0],
] as const;

const EXPORT_MOST = 50_000;

/** The page. */
export function ActivityPage() {
  const [filter, setFilter] = useState<LogFilter>({});
  const [period, setPeriod] = useState<number>(86_400_000);
  const key = JSON.stringify([filter, period]);
  const sinceMs = period === 0 ? undefined : Date.now() - period;
  const rows = useMemo(
    () => new LogRows({ log: "audit", filter, ...(sinceMs === undefined ? {} : { sinceMs }) }, readLog),
    [key],
  );
  useEffect(() => follow(rows), [rows]);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { current } = end;
    if (current === null) return;
    const seen = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) void rows.readOn();
    });
    seen.observe(current);
    return () => seen.disconnect();
  }, [rows]);
  const list = rows.rows.value;
  const isFiltered = Object.values(filter).some((value) => value !== undefined && value !== "");
  return (
    <Page
      title="Activity"
      about="Every request, answer and change, as the audit log has it"
      actions={
        <>
          <button type="button" onClick={() => void save(filter, sinceMs, "jsonl").catch(sayProblem)}>
            <Icon name="download" /> JSONL
          </button>
          <button type="button" onClick={() => void save(filter, sinceMs, "csv").catch(sayProblem)}>
            <Icon name="download" /> CSV
          </button>
        </>
      }
    >
      <Histogram log="audit" periodMs={period === 0 ? 30 * 86_400_000 : period} />
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <Field
          label="Search"
          value={filter.text ?? ""}
          hint="command, path, id"
          isWide
          onChange={(text) => setFilter({ ...filter, text })}
        />
        <Choice
          label="Period"
          value={String(period)}
          of={PERIODS.map(([text, ms]) => [String(ms), text] as const)}
          onChange={(value) => setPeriod(Number(value))}
        />
        <Choice
          label="Outcome"
          value={filter.outcome ?? ""}
          of={any(OUTCOMES)}
          onChange={(outcome) => setFilter({ ...filter, outcome })}
        />
        <button type="button" class="quiet" disabled={!isFiltered} onClick={() => setFilter({})}>
          <Icon name="close" /> Clear
        </button>
        <Field
          label="Host"
          value={filter.host ?? ""}
          hint="part of it"
          onChange={(host) => setFilter({ ...filter, host })}
        />
        <Field
          label="Run"
          value={filter.run ?? ""}
          hint="name"
          onChange={(run) => setFilter({ ...filter, run })}
        />
        <Choice
          label="Tier"
          value={filter.tier ?? ""}
          of={any([...TIERS, "unknown"])}
          onChange={(tier) => setFilter({ ...filter, tier })}
        />
        <Choice
          label="Protocol"
          value={filter.protocol ?? ""}
          of={any(PROTOCOLS)}
          onChange={(protocol) => setFilter({ ...filter, protocol })}
        />
        <Choice
          label="Kind"
          value={filter.op ?? ""}
          of={any(ENTRY_OPS)}
          onChange={(op) => setFilter({ ...filter, op })}
        />
      </form>
      <ProblemNotice error={rows.problem.value} />
      <LogTable rows={list} />
      {list.length === 0 && !rows.isReading.value && !rows.hasMore.value ? (
        <NoRows isFiltered={isFiltered} />
      ) : null}
      <div ref={end} class="more" role="status">
        {rows.isReading.value ? (
          "Reading…"
        ) : rows.hasMore.value ? (
          <button type="button" onClick={() => void rows.readOn()}>
            Read on
          </button>
        ) : list.length > 0 ? (
          "That is all"
        ) : null}
      </div>
    </Page>
  );
}

function NoRows({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered)
    return (
      <Empty icon="activity" title="Nothing fits">
        <p>Take a filter away, or choose a longer period.</p>
      </Empty>
    );
  return (
    <Empty icon="activity" title="Nothing has happened yet">
      <p>Send something through iddio, and it appears here at once. In a shell with iddio's settings:</p>
      <p>
        <CliLine line="kubectl get pods" />
      </p>
    </Empty>
  );
}

/** Reads at once, and new rows as they come. */
function follow(rows: LogRows): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      rows.readNew().catch(() => undefined);
    }, 150);
  };
  void rows.readOn();
  const stops = [onEvent(soon), onRefresh(soon)];
  return () => {
    clearTimeout(timer);
    rows.close();
    for (const stop of stops) stop();
  };
}

function any(words: readonly string[]): readonly (readonly [string, string])[] {
  return [["", "any"], ...words.map((word) => [word, word.replaceAll("_", " ")] as const)];
}

function Choice({
  label,
  value,
  of,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly of: readonly (readonly [value: string, text: string])[];
  readonly onChange: (value: string) => void;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {of.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Field({
  label,
  value,
  hint,
  isWide = false,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly hint: string;
  readonly isWide?: boolean;
  readonly onChange: (value: string) => void;
}) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="search"
        class={isWide ? "wide" : ""}
        value={value}
        placeholder={hint}
        onInput={(event) => {
          const text = event.currentTarget.value;
          clearTimeout(timer.current);
          timer.current = setTimeout(() => onChange(text), 250);
        }}
      />
    </label>
  );
}

/** Everything that fits, as a file. */
async function save(filter: LogFilter, sinceMs: number | undefined, how: "jsonl" | "csv"): Promise<void> {
  const rows: LogRow[] = [];
  for (let before: number | undefined; rows.length < EXPORT_MOST; ) {
    const page = await call("audit_read", {
      log: "audit",
      limit: 500,
      filter,
      ...(sinceMs === undefined ? {} : { since_ms: sinceMs }),
      ...(before === undefined ? {} : { before }),
    });
    rows.push(...page.rows);
    before = page.next;
    if (before === undefined) break;
  }
  const lines = rows.map(({ at: _, ...row }) => row).reverse();
  const text = how === "jsonl" ? lines.map((row) => JSON.stringify(row)).join("\n") : csv(lines);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(
    new Blob([`${text}\n`], { type: how === "csv" ? "text/csv" : "application/x-ndjson" }),
  );
  link.download = `iddio-audit.${how}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const COLUMNS = [
  "decision",
  "outcome",
  "tier",
  "protocol",
  "command",
  "method",
  "host",
  "path",
  "status",
  "reason",
];

function csv(rows: readonly Omit<LogRow, "at">[]): string {
  const head = ["time", "op", ...COLUMNS];
  const body = rows.map(({ timestamp_ms, op, fields }) =>
    [new Date(timestamp_ms).toISOString(), op, ...COLUMNS.map((name) => fields[name])].map(cell).join(","),
  );
  return [head.join(","), ...body].join("\n");
}

/** Renders a cell so that no spreadsheet takes it for a formula. */
function cell(value: unknown): string {
  const text = value === undefined ? "" : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
