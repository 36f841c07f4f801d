// Search in the audit rows of all devices. A row is shown as it was written.
// Every part of a row may come from an agent, so all of it is made safe to look at.

import { useState } from "preact/hooks";
import { Empty, ProblemNotice } from "../../../../features/console/app/parts/empty.tsx";
import { Page } from "../../../../features/console/app/parts/page.tsx";
import { Safe, SafeLines } from "../../../../features/console/app/parts/safe-text.tsx";
import { type List, useReading } from "../net.ts";

interface AuditRow {
  readonly device: { readonly id: string; readonly name: string };
  readonly chain: string;
  readonly seq: number;
  readonly at_ms: number;
  readonly row: unknown;
}

const FILTERS = ["text", "command", "host", "outcome", "tier", "protocol"] as const;

/** The page. */
export function AuditPage() {
  const [wanted, setWanted] = useState<Readonly<Record<string, string>>>({});
  const [open, setOpen] = useState("");
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== ""));
  query.set("limit", "200");
  const rows = useReading<List<AuditRow>>(`audit?${query}`, 10_000);
  const items = rows.value.value?.items;
  return (
    <Page title="Audit" about="Rows of all devices, latest first.">
      <div class="filters">
        {FILTERS.map((name) => (
          <label class="field" key={name}>
            <span>{name}</span>
            <input
              value={wanted[name] ?? ""}
              onChange={(event) => setWanted({ ...wanted, [name]: event.currentTarget.value })}
            />
          </label>
        ))}
      </div>
      <ProblemNotice error={rows.problem.value} />
      {items?.length === 0 ? <Empty icon="activity" title="No row is like this" /> : null}
      <ul class="log">
        {items?.map((each) => {
          const id = `${each.device.id}/${each.chain}/${each.seq}`;
          const { op, fields } = (each.row ?? {}) as {
            op?: string;
            fields?: Readonly<Record<string, unknown>>;
          };
          const word = (name: string) => String(fields?.[name] ?? "");
          return (
            <li key={id}>
              <button type="button" class="log-line" onClick={() => setOpen(open === id ? "" : id)}>
                <time dateTime={new Date(each.at_ms).toISOString()}>
                  {new Date(each.at_ms).toLocaleString()}
                </time>
                <span class="outcome">
                  <Safe text={word("outcome") || (op ?? "")} />
                </span>
                <span>
                  <Safe text={word("tier")} />
                </span>
                <span class="log-what">
                  <Safe text={[word("command"), word("host")].filter(Boolean).join(" ")} />
                </span>
                <span class="log-who">
                  <Safe text={each.device.name} />
                </span>
              </button>
              {open === id ? (
                <pre class="log-all">
                  <SafeLines text={JSON.stringify(each.row, null, 2)} />
                </pre>
              ) : null}
            </li>
          );
        })}
      </ul>
    </Page>
  );
}
