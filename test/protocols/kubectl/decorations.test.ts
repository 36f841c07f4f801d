// Spellings that the API server or kubectl would treat the same must get the same answer: other
// forms of path and query, other order, global flags elsewhere. And no mere addition to a request
// lowers its tier.

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Classification } from "../../../src/model/classification.ts";
import type { HttpRequest } from "../../../src/model/request.ts";
import { stricterTier } from "../../../src/model/tier.ts";
import { kubectlClassifier } from "../../../src/protocols/kubectl/classify.ts";
import { splitTarget } from "../../../src/wire/path.ts";
import { sampleArgvs, sampleRequests } from "../samples.ts";

const requests = sampleRequests("kubectl");
const argvs = sampleArgvs("kubectl");

function essence({ tier, command, labels }: Classification): unknown {
  return { tier, command, labels };
}

function expectSame(given: HttpRequest, decorated: HttpRequest): void {
  const [want, got] = [kubectlClassifier.classify(given), kubectlClassifier.classify(decorated)];
  expect([decorated.target, essence(got)]).toEqual([decorated.target, essence(want)]);
  expect(kubectlClassifier.needsBody(decorated)).toBe(kubectlClassifier.needsBody(given));
}

test("escaped letters in the path", () => {
  fc.assert(
    fc.property(fc.constantFrom(...requests), fc.array(fc.nat(), { maxLength: 6 }), (given, places) => {
      const { path, query } = splitTarget(given.target);
      const letters = [...path];
      for (const place of places) {
        const at = place % letters.length;
        const letter = letters[at] ?? "";
        if (/^[a-z0-9]$/i.test(letter) && letters[at - 1] !== "%" && letters[at - 2] !== "%")
          letters[at] = `%${letter.charCodeAt(0).toString(16)}`;
      }
      expectSame(given, { ...given, target: letters.join("") + (query === undefined ? "" : `?${query}`) });
    }),
    { seed: 1 },
  );
});

test("a trailing slash, more query, another order of the query", () => {
  for (const given of requests) {
    const { path, query } = splitTarget(given.target);
    const search = query === undefined ? "" : `?${query}`;
    if (path.length > 1 && !path.endsWith("/")) expectSame(given, { ...given, target: `${path}/${search}` });
    const pairs = query === undefined ? [] : query.split("&");
    for (const more of ["pretty=true", "timeout=32s", "fieldManager=x", "", "dryrun=All", "DRYRUN=All"]) {
      expectSame(given, { ...given, target: `${path}?${[...pairs, more].join("&")}` });
      expectSame(given, { ...given, target: `${path}?${[more, ...pairs].join("&")}` });
    }
    const names = pairs.map((pair) => pair.split("=")[0]);
    if (new Set(names).size === names.length && names.length > 1)
      expectSame(given, { ...given, target: `${path}?${pairs.toReversed().join("&")}` });
  }
});

test("nothing that is added to a read or a write lowers it", () => {
  const more = [
    "dryRun=All",
    "dryRun=",
    "watch=true",
    "watch=0",
    "a=%zz",
    "a;b",
    "_method=GET",
    "dryRun=All&dryRun=x",
  ];
  for (const given of requests)
    for (const addition of more) {
      const isDryRun = addition === "dryRun=All";
      if (isDryRun) continue;
      const target = `${given.target}${given.target.includes("?") ? "&" : "?"}${addition}`;
      const [want, got] = [
        kubectlClassifier.classify(given),
        kubectlClassifier.classify({ ...given, target }),
      ];
      expect([target, stricterTier(got.tier, want.tier)]).toEqual([target, got.tier]);
    }
});

test("a dry run lowers only what the API server would not carry out", () => {
  for (const given of requests) {
    const target = `${given.target}${given.target.includes("?") ? "&" : "?"}dryRun=All`;
    const [want, got] = [kubectlClassifier.classify(given), kubectlClassifier.classify({ ...given, target })];
    if (want.tier === "break-glass" || want.command.startsWith("secrets")) expect(got.tier).toBe(want.tier);
    else expect(stricterTier(got.tier, want.tier)).toBe(want.tier);
  }
});

test("global flags may stand anywhere, in every form", () => {
  const flags = [
    ["-v=6"],
    ["-v6"],
    ["--context", "prod"],
    ["--kubeconfig=/tmp/k"],
    ["--insecure-skip-tls-verify"],
    ["--request-timeout", "10s"],
    ["-s", "https://k.example"],
  ];
  for (const argv of argvs) {
    const [program = "", ...rest] = argv;
    if (program !== "kubectl") continue;
    const want = essence(kubectlClassifier.classifyArgv(argv));
    for (const flag of flags) {
      const before = [program, ...flag, ...rest];
      expect([before, essence(kubectlClassifier.classifyArgv(before))]).toEqual([before, want]);
      const dashes = rest.indexOf("--");
      const end = dashes === -1 ? rest.length : dashes;
      const after = [program, ...rest.slice(0, end), ...flag, ...rest.slice(end)];
      expect([after, essence(kubectlClassifier.classifyArgv(after))]).toEqual([after, want]);
    }
  }
});
