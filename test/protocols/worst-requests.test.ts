// No request stalls the others: the costliest requests of the largest size that we know, for every
// classifier and every reader of bodies, each within a bound of processor time; and random ones
// made of the same pieces.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { classifierFor } from "../../src/protocols/registry.ts";
import { fuzzRuns, fuzzSeed } from "../support/fuzz-runs.ts";
import {
  BODIES,
  BODY_BYTES,
  FIELDS,
  filled,
  HEAD_BYTES,
  octetsOf,
  PLACES,
  TARGETS,
  worstRequest,
} from "../support/worst-requests.ts";

/** Milliseconds of processor time for one request. */
const MOST_MS = 50;
/** Compiling and collecting garbage on the same thread count, too: of several tries the best is the request's own. */
const TRIES = 40;

/** Processor time of judging a request; the tries end with the first that is within the bound. */
function costOf(place: (typeof PLACES)[number], request: ReturnType<typeof worstRequest>): number {
  const classifier = classifierFor(place[0]);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIES && best >= MOST_MS; i++) {
    const before = process.threadCpuUsage();
    classifier.needsBody(request);
    classifier.classify(request);
    const { user, system } = process.threadCpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

const bodies = BODIES.map(([name, text]) => [name, octetsOf(text())] as const);
const targets = TARGETS.map(([name, text]) => [name, text()] as const);
const fields = FIELDS.map(([name, made]) => [name, made()] as const);

for (const place of PLACES)
  test(`${place[0]}: ${place[1]} ${place[2]}${place[3]} as ${place[4]}`, () => {
    const slow: string[] = [];
    const judge = (name: string, request: ReturnType<typeof worstRequest>) => {
      const ms = costOf(place, request);
      if (ms >= MOST_MS) slow.push(`${name}: ${Math.round(ms)} ms`);
    };
    for (const [name, body] of bodies) judge(name, worstRequest(place, body));
    for (const [name, target] of targets) judge(name, worstRequest(place, undefined, target));
    for (const [name, made] of fields) judge(name, worstRequest(place, undefined, "", made));
    expect(slow).toEqual([]);
  }, 120_000);

const piece = fc.oneof(
  fc.constantFrom("&", "=", ";", "%41", "%25", "+", "Action=", "_method=", "a", "[", "]", "{", "}", ",", '"'),
  fc.constantFrom(
    '"a":',
    "\\",
    "\n",
    "\r\n",
    "--x",
    " ",
    "\t",
    "/",
    "..",
    "//",
    ":",
    "#",
    "- a",
    "*a",
    "&a",
    "|",
  ),
  fc.constantFrom(
    "...F ",
    "{a",
    "SELECT ",
    "/*",
    "--",
    "'",
    "(",
    "$a",
    "\0",
    "\x0a\x02",
    "\x81",
    "\xa1",
    "e1",
  ),
);

test(
  "random requests of the largest size are no worse",
  () => {
    const pieces = fc.array(piece, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.constantFrom(...PLACES),
        fc.constantFrom("", "[", '{"query":"', '{"sql":"', "Action=A&", "k8s\0", "a: ", "--x\r\n"),
        pieces,
        fc.boolean(),
        (place, open, repeated, isBody) => {
          const size = isBody ? BODY_BYTES : HEAD_BYTES;
          const text = filled(size, open, repeated.join(""));
          const target = text.replace(/[^\x21-\x7e]|#/g, "%20").slice(0, HEAD_BYTES);
          const request = isBody ? worstRequest(place, text) : worstRequest(place, undefined, `?${target}`);
          expect(costOf(place, request)).toBeLessThan(MOST_MS);
        },
      ),
      { seed: fuzzSeed(1), numRuns: fuzzRuns(75) },
    );
  },
  fuzzRuns(120_000),
);
