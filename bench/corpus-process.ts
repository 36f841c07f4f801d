// Times judge() on the requests of one corpus: classify and decide together, body and all, one
// sample a call. A process of its own, so that no load shares its heap and its compiled code.

import { isProtocol, PROTOCOLS, type Protocol } from "../src/model/protocol.ts";
import type { Header, HttpRequest } from "../src/model/request.ts";
import { judge } from "../src/policy/decide/judge.ts";
import { parsePolicy } from "../src/policy/parse/parse.ts";
import type { Policy } from "../src/policy/policy.ts";
import { splitUrl } from "../src/protocols/batch.ts";
import { guessProtocol } from "../src/protocols/registry.ts";
import { type Case, readCorpus } from "../test/truth/corpora.ts";
import { decodeBody } from "../test/truth/decode-body.ts";
import { median } from "./series.ts";
import { answerCalls } from "./worker.ts";

/** Microseconds a call, of the requests of one kind in a corpus. */
export interface CorpusTimes {
  readonly requests: number;
  /** A document is parsed in each, for which the bar is another. */
  readonly isGraphql: boolean;
  readonly p50: number;
  readonly p99: number;
  /** 99th percentile over the requests, each at its median: without the collector and other programs. */
  readonly own99: number;
}

const WARM_UP_CALLS = 60_000;
const SAMPLES = 100_000;

function policyForAll(): Policy {
  const block = {
    default: "escalate",
    groups: { read: { tiers: ["observe"] }, worst: { tiers: ["break-glass"] } },
    rules: { allow: { groups: ["read"] }, deny: { groups: ["worst"] } },
  };
  const blocks = PROTOCOLS.map((name) => [name, { inspect: [`${name}.example.com`], ...block }]);
  const parsed = parsePolicy(JSON.stringify(Object.fromEntries(blocks)));
  if ("policy" in parsed) return parsed.policy;
  throw new Error(parsed.problems[0]?.message);
}

interface Judged {
  readonly protocols: readonly Protocol[];
  readonly request: HttpRequest;
}

function judgedOf(row: Case): Judged[] {
  if (row.method === undefined || row.url === undefined) return [];
  const split = splitUrl(row.url);
  if ("problem" in split) return [];
  const headers: Header[] = Object.entries(row.headers ?? {}).map(([name, value]) => [name, String(value)]);
  const raw =
    row.body_b64 === undefined
      ? row.body === undefined
        ? undefined
        : Buffer.from(row.body)
      : Buffer.from(row.body_b64, "base64");
  const bytes = raw && (decodeBody(headers, raw) ?? raw);
  const body = bytes === undefined ? ({ kind: "none" } as const) : ({ kind: "whole", bytes } as const);
  const protocol = isProtocol(row.protocol) ? row.protocol : guessProtocol(split.host);
  return [{ protocols: [protocol], request: { method: row.method, ...split, headers, body } }];
}

function measure(corpus: string): readonly CorpusTimes[] {
  const judged = readCorpus(corpus).flatMap(judgedOf);
  const policy = policyForAll();
  return [false, true].flatMap((isGraphql) => {
    const some = judged.filter(({ request }) => /graphql/i.test(request.target) === isGraphql);
    return some.length === 0 ? [] : [{ isGraphql, ...timesOf(some, policy) }];
  });
}

function timesOf(judged: readonly Judged[], policy: Policy): Omit<CorpusTimes, "isGraphql"> {
  const call = (index: number) => {
    const { protocols, request } = judged[index % judged.length] as Judged;
    return judge(policy, protocols, request);
  };
  let allowed = 0;
  for (let index = 0; index < WARM_UP_CALLS; index++) if (call(index).verdict.action === "allow") allowed++;
  const samples = new Float64Array(SAMPLES);
  for (let index = 0; index < SAMPLES; index++) {
    const started = Bun.nanoseconds();
    if (call(index).verdict.action === "allow") allowed++;
    samples[index] = Bun.nanoseconds() - started;
  }
  if (allowed < 0) throw new Error("unreachable");
  const own = judged.map((_, first) => medianOfEvery(samples, first, judged.length)).sort((a, b) => a - b);
  samples.sort();
  const at = (sorted: ArrayLike<number>, share: number) =>
    (sorted[Math.floor(sorted.length * share)] as number) / 1000;
  return { requests: judged.length, p50: at(samples, 0.5), p99: at(samples, 0.99), own99: at(own, 0.99) };
}

function medianOfEvery(samples: Float64Array, first: number, step: number): number {
  const picked: number[] = [];
  for (let index = first; index < samples.length; index += step) picked.push(samples[index] as number);
  return median(picked);
}

answerCalls({ measure });
