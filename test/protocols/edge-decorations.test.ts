// Spellings that Cloudflare's and Fly's servers or tools would treat the same get the same answer,
// and no mere addition to a request or command line lowers its tier.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Kind, parse, print, visit } from "graphql";
import type { Classification } from "../../src/model/classification.ts";
import type { HttpRequest } from "../../src/model/request.ts";
import { stricterTier } from "../../src/model/tier.ts";
import type { Classifier } from "../../src/protocols/classifier.ts";
import { cloudflareClassifier } from "../../src/protocols/cloudflare/classify.ts";
import { flyClassifier } from "../../src/protocols/fly/classify.ts";
import { splitTarget } from "../../src/wire/path.ts";
import { sampleArgvs, sampleRequests } from "./samples.ts";

const essence = ({ tier, command, labels }: Classification) => ({ tier, command, labels });

function isGraphql({ target }: HttpRequest): boolean {
  return target.includes("/graphql");
}

for (const classifier of [cloudflareClassifier, flyClassifier])
  describe(classifier.protocol, () => {
    const requests = sampleRequests(classifier.protocol);
    const argvs = sampleArgvs(classifier.protocol);

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
          const search = query === undefined ? "" : `?${query}`;
          expectSame(classifier, given, { ...given, target: letters.join("") + search });
        }),
        { seed: 1, numRuns: 300 },
      );
    });

    test("a trailing slash, more query, another order of the query", () => {
      for (const given of requests) {
        const { path, query } = splitTarget(given.target);
        const search = query === undefined ? "" : `?${query}`;
        if (!path.endsWith("/")) expectSame(classifier, given, { ...given, target: `${path}/${search}` });
        const pairs = query === undefined ? [] : query.split("&");
        for (const more of ["per_page=1", "", "x=%41"])
          expectSame(classifier, given, { ...given, target: `${path}?${[...pairs, more].join("&")}` });
        expectSame(classifier, given, { ...given, target: `${path}?${pairs.toReversed().join("&")}` });
      }
    });

    test("nothing that is added to the query lowers a request", () => {
      // A GraphQL request for nothing becomes one for something.
      for (const given of requests.filter((one) => !isGraphql(one) || one.body.kind !== "none"))
        for (const more of ["_method=GET", "show_secrets=false", "force=false", "query={a}", "%zz"]) {
          const target = `${given.target}${given.target.includes("?") ? "&" : "?"}${more}`;
          expectNotLower(classifier, given, { ...given, target });
        }
    });

    test("a path that somebody may read otherwise is never better", () => {
      for (const given of requests.filter((one) => !isGraphql(one)))
        for (const spell of [
          (path: string) => path.replace(/^\//, "//"),
          (path: string) => path.replace(/^\/(\w+)\//, "/x/../$1/"),
          (path: string) => path.replace(/\/(\w+)$/, "/./$1"),
          (path: string) => `${path}/..%2f`,
        ]) {
          const { path, query } = splitTarget(given.target);
          if (spell(path) === path) continue;
          const target = spell(path) + (query === undefined ? "" : `?${query}`);
          const got = classifier.classify({ ...given, target }).tier;
          expect([target, got === "observe"]).toEqual([target, false]);
        }
    });

    test("aliases, comments, blanks and names in GraphQL change nothing", () => {
      for (const given of requests.filter(isGraphql)) {
        if (given.body.kind !== "whole") continue;
        const body = JSON.parse(new TextDecoder().decode(given.body.bytes)) as { query: string };
        for (const query of rewritten(body.query)) {
          const bytes = new TextEncoder().encode(JSON.stringify({ ...body, query }));
          expectSame(classifier, given, { ...given, body: { kind: "whole", bytes } });
        }
      }
    });

    test("flags of which nobody knows whether they take a value never lower a command line", () => {
      for (const argv of argvs)
        for (let at = 1; at <= argv.length; at++) {
          const want = classifier.classifyArgv(argv).tier;
          const got = classifier.classifyArgv([...argv.slice(0, at), "--frobnicate", ...argv.slice(at)]).tier;
          expect([argv.join(" "), at, want === "observe" || got !== "observe"]).toEqual([
            argv.join(" "),
            at,
            true,
          ]);
        }
    });

    test("the folder of the program and its .exe change nothing", () => {
      for (const argv of argvs) {
        const [program = "", ...rest] = argv;
        expect(classifier.classifyArgv([`/usr/local/bin/${program}`, ...rest])).toEqual(
          classifier.classifyArgv(argv),
        );
      }
    });
  });

function expectSame(classifier: Classifier, given: HttpRequest, decorated: HttpRequest): void {
  const [want, got] = [classifier.classify(given), classifier.classify(decorated)];
  expect([decorated.target, essence(got)]).toEqual([decorated.target, essence(want)]);
  expect(classifier.needsBody(decorated)).toBe(classifier.needsBody(given));
}

function expectNotLower(classifier: Classifier, given: HttpRequest, decorated: HttpRequest): void {
  const [want, got] = [classifier.classify(given).tier, classifier.classify(decorated).tier];
  expect([decorated.target, stricterTier(got, want)]).toEqual([decorated.target, got]);
}

/** The same operation, written otherwise. */
function rewritten(query: string): readonly string[] {
  const document = parse(query);
  const aliased = visit(document, {
    Field: (node) => ({ ...node, alias: { kind: Kind.NAME, value: `a_${node.name.value}` } }),
  });
  const named = visit(document, {
    OperationDefinition: (node) => ({ ...node, name: { kind: Kind.NAME, value: "Harmless" } }),
  });
  return [
    print(document),
    print(aliased),
    print(named),
    `# query { viewer { id } }\n${query}`,
    `\n\t ,${query} `,
  ];
}
