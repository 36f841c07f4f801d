// The laws that every classifier keeps, tried on requests made of likely pieces and junk, and on
// the given cases where they are on this machine. A protocol's own table proves what it knows; this
// proves that it fails closed.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Classification } from "../../src/model/classification.ts";
import type { Header, HttpRequest, RequestBody } from "../../src/model/request.ts";
import { stricterTier, TIERS } from "../../src/model/tier.ts";
import { commandProblems } from "../../src/policy/lint/known-commands.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import type { Classifier } from "../../src/protocols/classifier.ts";
import { CLASSIFIERS } from "../../src/protocols/registry.ts";
import { sampleArgvs, sampleRequests } from "./samples.ts";

/** CI tries the same cases each time; FUZZ_RUNS asks for more, and for other ones. */
const ASKED = process.env.FUZZ_RUNS;
const RUNS = ASKED === undefined ? { numRuns: 300, seed: 1 } : { numRuns: Number(ASKED) };

const method = fc.oneof(
  fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"),
  fc.constantFrom("get", "FROB", "TRACE", "CONNECT", "LOCK", "POSTT", "__proto__"),
);

const host = fc.constantFrom(
  "a1.eks.amazonaws.com",
  "compute.googleapis.com",
  "ec2.us-east-1.amazonaws.com",
  "acme.s3.amazonaws.com",
  "api.github.com",
  "api.cloudflare.com",
  "api.fly.io",
  "localhost",
  "10.0.0.1",
  "::1",
);

const piece = fc.oneof(
  fc.constantFrom(
    "api",
    "apis",
    "v1",
    "namespaces",
    "pods",
    "secrets",
    "exec",
    "watch",
    "proxy",
    "repos",
    "user",
  ),
  fc.constantFrom(
    "graphql",
    "projects",
    "zones",
    "instances",
    "client",
    "v4",
    "accounts",
    "apps",
    "machines",
  ),
  fc.constantFrom(
    "..",
    ".",
    "%2e%2e",
    "%2F",
    "%",
    "%zz",
    "%00",
    ";a=b",
    ":delete",
    "constructor",
    "__proto__",
  ),
  fc.string({ maxLength: 12 }),
);

const target = fc
  .tuple(fc.array(piece, { maxLength: 9 }), fc.option(fc.array(fc.tuple(piece, piece), { maxLength: 4 })))
  .map(([path, query]) => {
    const visible = (text: string) => text.replace(/[^\x21-\x7e]|[?#]/g, "%20");
    const search = query?.map(([key, value]) => `${visible(key)}=${visible(value)}`).join("&");
    return `/${path.map(visible).join("/")}${search === undefined ? "" : `?${search}`}`;
  });

const header: fc.Arbitrary<Header> = fc.oneof(
  fc.constantFrom<Header[]>(
    ["Content-Type", "application/json"],
    ["content-type", "application/x-www-form-urlencoded; charset=utf-8"],
    ["Content-Type", "application/x-amz-json-1.1"],
    ["Content-Type", 'multipart/mixed; boundary="=="'],
    ["X-Amz-Target", "DynamoDB_20120810.Scan"],
    ["X-HTTP-Method-Override", "DELETE"],
    ["Upgrade", "websocket"],
    ["Impersonate-User", "admin"],
  ),
  fc.tuple(fc.constantFrom("Authorization", "Accept", "X-A"), fc.string({ maxLength: 30 })),
);

const body: fc.Arbitrary<RequestBody> = fc.oneof(
  fc.constant<RequestBody>({ kind: "none" }),
  fc.constant<RequestBody>({ kind: "unread", why: "it is over the limit" }),
  fc.uint8Array({ maxLength: 60 }).map((bytes): RequestBody => ({ kind: "whole", bytes })),
  fc
    .oneof(
      fc.json(),
      fc.constantFrom(
        "Action=DescribeInstances&Version=2016-11-15",
        '{"query":"query A{viewer{login}} mutation B{deleteRef(input:{})}"}',
        '[{"query":"{a}"},{"query":"mutation{b}"}]',
        "--==\r\n\r\nDELETE /a HTTP/1.1\r\n\r\n--==--",
        "{".repeat(20_000),
      ),
    )
    .map((text): RequestBody => ({ kind: "whole", bytes: new TextEncoder().encode(text) })),
);

const request: fc.Arbitrary<HttpRequest> = fc.record({
  method,
  host,
  port: fc.constantFrom(443, 6443, 80),
  target,
  headers: fc.array(header, { maxLength: 5 }),
  body,
});

/** Of all classifiers: a cluster behind a cloud's gateway has namespaces. */
const SCOPE_LABELS = CLASSIFIERS.flatMap(({ scopes }) => scopes.map(({ label }) => label));

function scopesOf({ labels, unnamedScopes, spannedScopes }: Classification) {
  return { labels, unnamedScopes, spannedScopes };
}

function expectWellFormed(classifier: Classifier, answer: Classification): void {
  expect(answer.protocol).toBe(classifier.protocol);
  expect([...TIERS, "unknown"]).toContain(answer.tier);
  expect(answer.reason).not.toBe("");
  for (const alias of answer.aliases) expect(alias).not.toBe("");
  for (const value of Object.values(answer.labels)) {
    expect(typeof value).toBe("string");
    expect(value).not.toBe("");
  }
  for (const scopes of [answer.unnamedScopes, answer.spannedScopes]) {
    if (scopes === undefined) continue;
    expect(scopes).not.toBeEmpty();
    expect(new Set(scopes).size).toBe(scopes.length);
    for (const label of scopes) expect(SCOPE_LABELS).toContain(label);
  }
  if (answer.parts === undefined) return;
  expect(answer.parts.length).toBeGreaterThan(0);
  for (const part of answer.parts) {
    expectWellFormed(classifier, part);
    // The outer tier is at least as strict as that of each part.
    expect(stricterTier(answer.tier, part.tier)).toBe(answer.tier);
  }
}

/** The strictest thing that a policy could be asked about: doubt may not replace a tier, only join it. */
function weight(answer: Classification): number {
  const tiers = [answer, ...(answer.parts ?? [])].map((one) => TIERS.indexOf(one.tier as never));
  return Math.max(...tiers);
}

function isAtLeast(decorated: Classification, plain: Classification): boolean {
  if (stricterTier(decorated.tier, plain.tier) !== decorated.tier) return false;
  return plain.tier === "unknown" || TIERS.indexOf(plain.tier) < 2 || weight(decorated) >= weight(plain);
}

for (const classifier of CLASSIFIERS)
  describe(classifier.protocol, () => {
    const samples = sampleRequests(classifier.protocol);

    test("any request gets a well-formed answer, the same each time, and is left as it was", () => {
      const tryOne = (given: HttpRequest) => {
        const before = structuredClone(given);
        const answer = classifier.classify(given);
        expectWellFormed(classifier, answer);
        expect(classifier.classify(given)).toEqual(answer);
        expect(given).toEqual(before);
      };
      for (const sample of samples) tryOne(sample);
      fc.assert(fc.property(request, tryOne), RUNS);
    });

    test("any command line gets a well-formed answer", () => {
      const word = fc.oneof(
        fc.constantFrom(
          "get",
          "delete",
          "list",
          "describe",
          "-n",
          "--namespace=x",
          "--",
          "-",
          "--help",
          "-it",
          "api",
        ),
        fc.constantFrom(
          "pods",
          "secrets",
          "ec2",
          "compute",
          "instances",
          "repo",
          "-X",
          "DELETE",
          "constructor",
          "",
        ),
        fc.string({ maxLength: 12 }),
      );
      const tryOne = (argv: readonly string[]) => expectWellFormed(classifier, classifier.classifyArgv(argv));
      for (const argv of sampleArgvs(classifier.protocol)) tryOne(argv);
      const programs = classifier.programs.length === 0 ? ["frob"] : classifier.programs;
      fc.assert(
        fc.property(fc.constantFrom(...programs), fc.array(word, { maxLength: 8 }), (program, rest) =>
          tryOne([program, ...rest]),
        ),
        RUNS,
      );
      tryOne([]);
    });

    test("a word that every JavaScript object has as a property means nothing special", () => {
      for (const word of ["constructor", "__proto__", "toString"]) {
        for (const argv of sampleArgvs(classifier.protocol))
          for (let at = 1; at < Math.min(argv.length, 6); at++)
            for (const one of [argv.with(at, word), argv.toSpliced(at, 0, `--${word}`)])
              expectWellFormed(classifier, classifier.classifyArgv(one));
        for (const sample of samples) {
          const segments = sample.target.split("/");
          const query = `${sample.target}${sample.target.includes("?") ? "&" : "?"}${word}=${word}`;
          for (let at = 1; at < Math.min(segments.length, 8); at++)
            expectWellFormed(
              classifier,
              classifier.classify({ ...sample, target: segments.with(at, word).join("/") }),
            );
          expectWellFormed(classifier, classifier.classify({ ...sample, target: query }));
        }
        for (const pattern of [word, `${word} delete`, `delete ${word}`, `${word}.${word}`]) {
          const block = `{ inspect: [a.example], rules: { deny: { commands: ["${pattern}"] } } }`;
          const parsed = parsePolicy(`${classifier.protocol}: ${block}\n`);
          if ("policy" in parsed) commandProblems(parsed.policy);
        }
      }
    });

    test("a command that no request is called is an error, wherever operations are listed", () => {
      const block = `{ inspect: [a.example], rules: { deny: { commands: ["zzqx frobnicated"] } } }`;
      const parsed = parsePolicy(`${classifier.protocol}: ${block}\n`);
      const problems = "policy" in parsed ? commandProblems(parsed.policy) : parsed.problems;
      const isChecked = classifier.operations !== undefined;
      expect(problems.some(({ severity }) => severity !== "warning")).toBe(isChecked || problems.length > 0);
      if (isChecked) expect(problems.length).toBeGreaterThan(0);
    });

    test("when the body is not wanted the answer comes from the head alone", () => {
      const tryOne = (given: HttpRequest) => {
        if (classifier.needsBody(given)) return;
        const answer = classifier.classify({ ...given, body: { kind: "none" } });
        const unread = classifier.classify({
          ...given,
          body: { kind: "unread", why: "it was not asked for" },
        });
        expect(unread).toEqual(answer);
        expect(classifier.classify(given)).toEqual(answer);
      };
      for (const sample of samples) tryOne(sample);
      fc.assert(fc.property(request, tryOne), RUNS);
    });

    test("when the body is wanted and was not read, the answer is unknown or worse", () => {
      const tryOne = (given: HttpRequest) => {
        if (!classifier.needsBody(given)) return;
        const { tier } = classifier.classify({
          ...given,
          body: { kind: "unread", why: "it is over the limit" },
        });
        expect(["unknown", "break-glass"]).toContain(tier);
      };
      for (const sample of samples) tryOne(sample);
      fc.assert(fc.property(request, tryOne), RUNS);
    });

    test("a method that nobody knows is never observe", () => {
      for (const sample of samples)
        expect(classifier.classify({ ...sample, method: "FROB" }).tier).not.toBe("observe");
    });

    test("the case and the order of header fields change nothing", () => {
      for (const sample of samples) {
        const answer = classifier.classify(sample);
        const flipped = sample.headers.map(([name, value]): Header => [flipCase(name), value]);
        expect(classifier.classify({ ...sample, headers: flipped })).toEqual({
          ...answer,
          reason: expect.any(String),
        });
        // Only fields of different names: the order of equal names means something.
        if (new Set(flipped.map(([name]) => name.toLowerCase())).size === flipped.length)
          expect(classifier.classify({ ...sample, headers: sample.headers.toReversed() }).tier).toBe(
            answer.tier,
          );
      }
    });

    test("fields that the upstream may ignore never lower the tier", () => {
      const decorations: readonly Header[] = [
        ["X-HTTP-Method-Override", "DELETE"],
        ["X-Method-Override", "FROB"],
        ["X-Frob", "observe"],
        ["Upgrade", "websocket"],
        ["Upgrade", "h2c"],
        ["Accept", "text/plain"],
        ["Cookie", "dryRun=All"],
      ];
      for (const sample of samples) {
        const plain = classifier.classify(sample);
        for (const decoration of decorations) {
          const decorated = classifier.classify({ ...sample, headers: [...sample.headers, decoration] });
          if (!isAtLeast(decorated, plain))
            expect([sample.method, sample.target, decoration, decorated.tier]).toEqual([
              sample.method,
              sample.target,
              decoration,
              plain.tier,
            ]);
        }
      }
    });

    test("fields that anybody may add never name a scope that was not named", () => {
      for (const sample of samples) {
        const plain = classifier.classify(sample);
        const decorations: readonly Header[] = [
          ["X-Goog-User-Project", "sandbox"],
          ["x-goog-request-params", "project=sandbox"],
          ["X-Forwarded-Host", "sandbox.example"],
          ["Referer", "https://github.com/sandbox/web"],
        ];
        for (const decoration of decorations) {
          const decorated = classifier.classify({ ...sample, headers: [...sample.headers, decoration] });
          expect(scopesOf(decorated)).toEqual(scopesOf(plain));
        }
      }
    });

    test("long and repetitive input is read in reasonable time", () => {
      for (const unit of [
        "/",
        "a/",
        "%",
        "%2",
        "%25",
        "a.",
        "A",
        "aA",
        ":",
        "?",
        "=",
        "&a=",
        "~",
        "\\",
        "watch/",
      ])
        for (const prefix of ["/", "/api/v1/", "/repos/a/b/", "/v1/projects/", "/?"]) {
          const long = prefix + unit.repeat(32_768 / unit.length);
          const given: HttpRequest = {
            method: "POST",
            host: "ec2.us-east-1.amazonaws.com",
            port: 443,
            target: long,
            headers: [["Content-Type", long.slice(0, 4096)]],
            body: { kind: "whole", bytes: new TextEncoder().encode(long) },
          };
          expectWellFormed(classifier, classifier.classify(given));
        }
    });
  });

function flipCase(text: string): string {
  return text.replace(/[a-z]/gi, (letter) =>
    /[a-z]/.test(letter) ? letter.toUpperCase() : letter.toLowerCase(),
  );
}
