// The control methods that pages read with: logs a page at a time, doctor's findings. They share
// the process with the proxy, so what each reads is bounded and everything heavy is loaded here
// only when it is asked for.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { LogFilter, LogRow } from "../../api/methods/pages.ts";
import type { Entry } from "../../model/entry.ts";
import { readJournalPage } from "../../state/journal-page.ts";
import type { StatePaths } from "../../state/paths.ts";

/** The daemon's parts behind the console's pages. */
export interface PageSources {
  readonly paths: StatePaths;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Methods = "audit_read" | "audit_histogram" | "doctor_examine";

const ROWS_MAX = 500;
const BUCKETS_MAX = 200;
/** Rows of one step of a long reading; between two steps others have their turn. */
const STEP_ROWS = 1_000;
const HISTOGRAM_ROWS = 60_000;

/** Handlers of these methods. */
export function pageHandlers({ paths, env }: PageSources): Pick<ControlHandlers, Methods> {
  const pathOf = (log: "audit" | "observe") => (log === "audit" ? paths.audit : paths.observe);
  return {
    audit_read: async ({ log, limit, before, filter, since_ms }) => {
      const { rows, next } = await readJournalPage(pathOf(log), {
        limit: Math.min(ROWS_MAX, Math.max(1, limit)),
        ...(before === undefined ? {} : { before }),
        ...(since_ms === undefined ? {} : { sinceMs: since_ms }),
        ...(filter === undefined ? {} : { filter: matcher(filter), text: filter.text ?? "" }),
      });
      return { rows: rows.map(({ at, row }) => logRow(at, row)), ...(next === undefined ? {} : { next }) };
    },

    audit_histogram: async ({ log, since_ms, buckets }) => {
      const count = Math.min(BUCKETS_MAX, Math.max(1, Math.floor(buckets)));
      const untilMs = Date.now();
      const width = Math.max(1, (untilMs - since_ms) / count);
      const found = Array.from({ length: count }, () => ({ allowed: 0, asked: 0, refused: 0 }));
      const isCut = await eachRow(pathOf(log), since_ms, HISTOGRAM_ROWS, (row) => {
        const kind = kindOf(row);
        const at = Math.min(count - 1, Math.floor((row.timestamp_ms - since_ms) / width));
        const bucket = found[at];
        if (kind !== undefined && bucket !== undefined) bucket[kind] += 1;
      });
      return { until_ms: untilMs, buckets: found, is_cut: isCut };
    },

    doctor_examine: async () => {
      const { examine } = await import("../../features/doctor/examine.ts");
      const { FEATURES } = await import("../../features/features.ts");
      const { findings } = await examine({ scope: "user", paths, env, own: paths }, FEATURES);
      return {
        findings: findings.map(({ check, lookedAt, verdict, detail, fix }) => ({
          check,
          looked_at: lookedAt,
          verdict,
          detail,
          ...(fix === undefined ? {} : { fix }),
        })),
      };
    },
  };
}

function logRow(at: number, { timestamp_ms, op, hash, fields }: Entry): LogRow {
  return { at, timestamp_ms, op, hash: String(hash), fields };
}

/** Reads backwards until the time or the bound is reached; true when the bound was. */
async function eachRow(
  path: string,
  sinceMs: number,
  most: number,
  take: (row: Entry) => void,
): Promise<boolean> {
  let before: number | undefined;
  for (let read = 0; read < most; read += STEP_ROWS) {
    const { rows, next } = await readJournalPage(path, {
      limit: STEP_ROWS,
      sinceMs,
      ...(before === undefined ? {} : { before }),
    });
    for (const { row } of rows) take(row);
    if (next === undefined) return false;
    before = next;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return true;
}

/** Which of three a row counts as; rows about something else count as none. */
function kindOf({ op, fields }: Entry): "allowed" | "asked" | "refused" | undefined {
  if (op === "intent" || op === "control" || op === "passthrough") return undefined;
  const { outcome, decision } = fields;
  if (outcome === "denied" || outcome === "refused" || outcome === "blocked" || decision === "deny")
    return "refused";
  if (decision === "escalate" || outcome === "approved" || outcome === "timed_out" || outcome === "withdrawn")
    return "asked";
  return "allowed";
}

/** A row that fits every part of the filter. */
function matcher({ host, text, ...exact }: LogFilter): (row: Entry) => boolean {
  const wanted = Object.entries(exact).filter(([, value]) => value !== undefined && value !== "");
  const part = text?.toLowerCase() ?? "";
  const ofHost = host?.toLowerCase() ?? "";
  return ({ op, hash, fields }) => {
    for (const [name, value] of wanted) {
      const own = name === "op" ? op : name === "run" ? fields.client?.run : fields[name];
      if (own !== value) return false;
    }
    if (
      ofHost !== "" &&
      !String(fields.host ?? "")
        .toLowerCase()
        .includes(ofHost)
    )
      return false;
    if (part === "") return true;
    const texts = [fields.command, fields.path, fields.reason, fields.approval_id, fields.request_id, hash];
    return texts.some((each) => each !== undefined && String(each).toLowerCase().includes(part));
  };
}
