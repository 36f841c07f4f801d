// A week of audit rows made from the recorded and published requests of real clients
// (test/truth/data): a small crew of agents that sends the same few over and over and the rest now
// and then, and a person who answers as the tier suggests. The same seed gives the same week.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Action } from "../src/model/action.ts";
import type { Entry, EntryFields } from "../src/model/entry.ts";
import type { Outcome } from "../src/model/outcome.ts";
import { decide } from "../src/policy/decide/decide.ts";
import type { Policy } from "../src/policy/policy.ts";
import { rowFacts } from "../src/policy/replay/row-facts.ts";
import { splitUrl } from "../src/protocols/batch.ts";
import { classifierFor, guessProtocol } from "../src/protocols/registry.ts";

const CORPORA = ["captured", "kubernetes", "aws", "gcloud", "github-rest", "cloudflare", "fly"];
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
/** Monday, 23 November 2026. */
const START_MS = Date.UTC(2026, 10, 23);

interface Recorded {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Numbers from 0 to below 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Rows in the order of their time; what a person is asked about is answered. */
export function* syntheticWeek(policy: Policy, count: number, version: string, seed = 7): Generator<Entry> {
  const requests = judged(policy);
  const random = randomFrom(seed);
  for (let number = 0; number < count; number++) {
    // Few requests often, most of them now and then.
    const fields = requests[Math.floor(random() ** 3 * requests.length)];
    if (fields === undefined) return;
    const { verdict, row } = fields;
    const id = number.toString(16).padStart(16, "0");
    const answer = answerOf(verdict, row, random());
    const op = answer.decision === "allow" ? "mitm" : "block";
    const status = op === "mitm" ? { status: random() < 0.03 ? 404 : 200 } : { status: 403 };
    const asked = verdict === "escalate" ? { approval_id: `appr_${id.slice(8)}` } : {};
    yield {
      timestamp_ms: START_MS + Math.floor((number / count) * WEEK_MS),
      op,
      hash: id.repeat(2),
      fields: {
        request_id: id,
        ...row,
        classifier: version,
        ...answer,
        ...asked,
        ...status,
        duration_ms: 12,
      },
    };
  }
}

/** The policy's answer and, where it asked, a person's: sensitive requests are looked at longer. */
function answerOf(
  verdict: Action,
  { tier, command = "" }: EntryFields,
  chance: number,
): { readonly decision: Action; readonly outcome: Outcome } {
  if (verdict === "allow") return { decision: "allow", outcome: "allowed" };
  if (verdict === "deny") return { decision: "deny", outcome: "refused" };
  if (chance < 0.1) return { decision: "escalate", outcome: "timed_out" };
  // A person now and then refuses a command that is dangerous by its name.
  const isDoubted = tier === "sensitive" || /policy|token|key|cert/i.test(command);
  return chance < (isDoubted ? 0.5 : 0.1)
    ? { decision: "deny", outcome: "denied" }
    : { decision: "allow", outcome: "approved" };
}

function judged(policy: Policy): readonly { readonly verdict: Action; readonly row: EntryFields }[] {
  const folder = join(import.meta.dir, "../test/truth/data");
  return CORPORA.flatMap((name) =>
    gunzipSync(readFileSync(join(folder, `${name}.jsonl.gz`)))
      .toString()
      .split("\n")
      .filter((line) => line !== "")
      .flatMap((line) => rowOf(policy, JSON.parse(line) as Recorded) ?? []),
  );
}

function rowOf(policy: Policy, { method, url, headers = {}, body }: Recorded) {
  const split = splitUrl(url);
  if ("problem" in split) return undefined;
  const classification = classifierFor(guessProtocol(split.host)).classify({
    method,
    ...split,
    headers: Object.entries(headers).map(([name, value]) => [name, String(value)] as const),
    body: body === undefined ? { kind: "none" } : { kind: "whole", bytes: new TextEncoder().encode(body) },
  });
  const { protocol, tier, command, labels } = classification;
  const verdict = decide(policy, classification, false);
  const { host, port, target } = split;
  const row: EntryFields = {
    host,
    port,
    method,
    path: target,
    protocol,
    tier,
    command,
    labels,
    rule: verdict.rule,
    client: { user: "me", pid: 4711, process: "agent" },
    ...rowFacts(classification, false, ""),
  };
  return { verdict: verdict.action, row };
}
