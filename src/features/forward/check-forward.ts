// doctor: whether audit rows get to where they are forwarded to. A receiver that is down for a
// moment is no finding; one that has been down for an hour is, and so are rows that it refused.

import type { CheckContext, Finding, ForwardFacts } from "../../cli/kit/check.ts";

const LONG_MS = 10 * 60_000;
const VERY_LONG_MS = 24 * 60 * 60_000;

/** Every receiver that the running daemon has. */
export function checkForward({ daemon, paths, nowMs }: CheckContext): Promise<Finding> {
  const about = { check: "forwarding", lookedAt: paths.audit };
  const sinks = daemon?.forward;
  if (sinks === undefined) return Promise.resolve({ ...about, verdict: "skip", detail: "no daemon to ask" });
  if (sinks.length === 0)
    return Promise.resolve({ ...about, verdict: "ok", detail: "audit rows are forwarded nowhere" });
  const failing = sinks.filter(({ failing_since_ms }) => nowMs - (failing_since_ms ?? nowMs) > LONG_MS);
  const refused = sinks.filter(({ refused_rows }) => refused_rows > 0);
  const [worst] = failing.sort((a, b) => (a.failing_since_ms ?? 0) - (b.failing_since_ms ?? 0));
  if (worst !== undefined)
    return Promise.resolve({
      ...about,
      verdict: nowMs - (worst.failing_since_ms ?? nowMs) > VERY_LONG_MS ? "fail" : "warn",
      detail: `${worst.name} is ${worst.behind_bytes} bytes behind: ${worst.problem ?? "it fails"}`,
      fix: `nothing is lost; fix the receiver, then: iddio forward test ${worst.name}`,
    });
  if (refused.length > 0) return Promise.resolve({ ...about, ...refusedRows(refused) });
  const names = sinks.map(({ name }) => name).join(", ");
  return Promise.resolve({ ...about, verdict: "ok", detail: `rows arrive at ${names}` });
}

function refusedRows(sinks: readonly ForwardFacts[]): Pick<Finding, "verdict" | "detail" | "fix"> {
  const [first] = sinks;
  return {
    verdict: "warn",
    detail: sinks.map(({ name, refused_rows }) => `${name} refused ${refused_rows} rows`).join("; "),
    fix: `see forward/${first?.name ?? ""}.refused.jsonl in the state directory`,
  };
}
