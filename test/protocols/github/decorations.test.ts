// Spellings that GitHub or gh would treat the same must get the same answer: other forms of path
// and query, other content types, GraphQL written otherwise, flags elsewhere. And no mere addition
// to a request lowers its tier.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { Kind, parse, print, visit } from "graphql";
import type { Classification } from "../../../src/model/classification.ts";
import type { HttpRequest, RequestBody } from "../../../src/model/request.ts";
import { stricterTier } from "../../../src/model/tier.ts";
import { githubClassifier } from "../../../src/protocols/github/classify.ts";
import { splitTarget } from "../../../src/wire/path.ts";
import { sampleArgvs, sampleRequests } from "../samples.ts";

const requests = sampleRequests("github");
const argvs = sampleArgvs("github");

function essence({ tier, command, labels }: Classification): unknown {
  return { tier, command, labels };
}

function expectSame(given: HttpRequest, decorated: HttpRequest): void {
  const [want, got] = [githubClassifier.classify(given), githubClassifier.classify(decorated)];
  expect([decorated.target, essence(got)]).toEqual([decorated.target, essence(want)]);
  expect(githubClassifier.needsBody(decorated)).toBe(githubClassifier.needsBody(given));
}

test("escaped letters in the path", () => {
  const rest = requests.filter(({ target }) => !target.startsWith("/graphql"));
  fc.assert(
    fc.property(fc.constantFrom(...rest), fc.array(fc.nat(), { maxLength: 6 }), (given, places) => {
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
    for (const more of ["per_page=1", "", "x=%41"]) {
      expectSame(given, { ...given, target: `${path}?${[...pairs, more].join("&")}` });
      expectSame(given, { ...given, target: `${path}?${[more, ...pairs].join("&")}` });
    }
    expectSame(given, { ...given, target: `${path}?${pairs.toReversed().join("&")}` });
  }
});

test("the prefix of an Enterprise Server", () => {
  for (const given of requests.filter(({ host }) => host === "api.github.com")) {
    const prefix = given.target.startsWith("/graphql") ? "/api" : "/api/v3";
    expectSame(given, { ...given, host: "ghe.example", target: `${prefix}${given.target}` });
    expectSame(given, { ...given, host: "api.acme.ghe.com" });
  }
});

test("content types of JSON", () => {
  for (const given of requests)
    for (const type of [
      "application/json",
      "application/json;charset=utf-8",
      "Application/JSON ; a=b",
      "text/plain",
    ])
      expectSame(given, { ...given, headers: [["content-type", type]] });
});

test("nothing that is added to the query lowers a request", () => {
  // A request for nothing becomes one for something.
  const asking = requests.filter(({ target, body }) => target !== "/graphql" || body.kind !== "none");
  for (const given of asking)
    for (const more of [
      "a;b",
      "a=%zz",
      "_method=GET",
      "query=%7Ba%7D",
      "operationName=A",
      "hide_secret=true",
    ]) {
      const target = `${given.target}${given.target.includes("?") ? "&" : "?"}${more}`;
      const [want, got] = [githubClassifier.classify(given), githubClassifier.classify({ ...given, target })];
      expect([target, stricterTier(got.tier, want.tier)]).toEqual([target, got.tier]);
    }
});

test("GraphQL with comments, other names, aliases, fragments and another layout", () => {
  const documents = requests.flatMap((given) => {
    const call = given.body.kind === "whole" ? jsonOf(given.body.bytes) : undefined;
    return typeof call?.query === "string" ? [{ given, call, query: call.query }] : [];
  });
  expect(documents.length).toBeGreaterThan(0);
  for (const { given, call, query } of documents)
    for (const [rewritten, operationName] of rewritings(query, call.operationName)) {
      const body = bodyOf({ ...call, query: rewritten, operationName });
      expectSame(given, { ...given, body });
      expectSame(given, { ...given, body: bodyOf([{ ...call, query: rewritten, operationName }]) });
    }
});

/** The same document in other words, each with the operation name that then selects the same operation. */
function rewritings(
  query: string,
  name: unknown,
): readonly (readonly [query: string, operationName: unknown])[] {
  const document = parse(query);
  const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  const selected =
    operations.length === 1 ? operations[0] : operations.find((one) => one.name?.value === name);
  const commented = `# mutation { deleteRef }\n${print(document).replaceAll("\n", " # } query { a }\n,")}# end`;
  const aliased = visit(document, {
    OperationDefinition: (node) => ({
      ...node,
      name: { kind: Kind.NAME, value: node === selected ? "Query" : "Mutation" } as const,
    }),
    Field: (node, _key, _parent, _path, ancestors) => ({
      ...node,
      alias: { kind: Kind.NAME, value: `viewer${ancestors.length}` } as const,
    }),
  });
  const fragmented = print(document).replace(/\{([\s\S]*)\}/, "{ ... { ... @include(if: true) {$1} } }");
  const spread = operations.length === 1 && document.definitions.length === 1;
  return [
    [commented, name],
    [commented.replaceAll("\n", "\r\n"), name],
    [print(aliased), "Query"],
    ...(spread ? ([[fragmented, name]] as const) : []),
  ];
}

function jsonOf(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function bodyOf(value: unknown): RequestBody {
  return { kind: "whole", bytes: new TextEncoder().encode(JSON.stringify(value)) };
}

test("flags of gh before, after and attached", () => {
  for (const argv of argvs) {
    const at = argv.findIndex(
      (word) => word === "-R" || word === "--repo" || word === "-X" || word === "--method",
    );
    const [flag, value] = [argv[at], argv[at + 1]];
    if (at < 0 || flag === undefined || value === undefined) continue;
    const rest = argv.toSpliced(at, 2);
    const long = flag === "-R" ? "--repo" : flag === "-X" ? "--method" : flag;
    const want = essence(githubClassifier.classifyArgv(argv));
    for (const other of [
      [...rest, flag, value],
      [...rest, `${long}=${value}`],
      [...rest, long, value],
      [rest[0] ?? "gh", long, value, ...rest.slice(1)],
      [rest[0] ?? "gh", `${long}=${value}`, ...rest.slice(1)],
    ])
      expect([other.join(" "), essence(githubClassifier.classifyArgv(other))]).toEqual([
        other.join(" "),
        want,
      ]);
  }
});
