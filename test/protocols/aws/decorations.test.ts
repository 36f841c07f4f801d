import { expect, test } from "bun:test";
import type { Header, HttpRequest } from "../../../src/model/request.ts";
import { stricterTier } from "../../../src/model/tier.ts";
import { awsClassifier } from "../../../src/protocols/aws/classify.ts";
import { sampleArgvs, sampleRequests } from "../samples.ts";

/** Other spellings of a request that the upstream takes for the same. */
const SPELLINGS: readonly (readonly [name: string, spell: (request: HttpRequest) => HttpRequest])[] = [
  ["query in reverse order", (request) => onQuery(request, (pairs) => pairs.toReversed())],
  ["an empty pair in the query", (request) => onQuery(request, (pairs) => [...pairs, ""])],
  ["names in the query percent-encoded", (request) => onQuery(request, (pairs) => pairs.map(encodeName))],
  ["letters of the path percent-encoded", (request) => onPath(request, encodeLetters)],
  ["form fields in reverse order", (request) => onForm(request, (pairs) => pairs.toReversed())],
  ["names in the form percent-encoded", (request) => onForm(request, (pairs) => pairs.map(encodeName))],
  ["content type in capitals", (request) => onType(request, (type) => type.toUpperCase())],
  ["content type with a parameter", (request) => onType(request, (type) => `${type}; charset=utf-8`)],
  ["a port in no place", (request) => ({ ...request, port: 8443 })],
];

for (const [name, spell] of SPELLINGS)
  test(`${name} never lowers the tier, and mostly changes nothing`, () => {
    const samples = sampleRequests("aws");
    let changed = 0;
    for (const sample of samples) {
      const plain = awsClassifier.classify(sample);
      const other = awsClassifier.classify(spell(sample));
      if (stricterTier(other.tier, plain.tier) !== other.tier)
        expect([sample.method, sample.host, sample.target, other.tier]).toEqual([
          sample.method,
          sample.host,
          sample.target,
          plain.tier,
        ]);
      if (other.tier !== plain.tier) changed++;
    }
    expect(changed).toBeLessThanOrEqual(samples.length / 50);
  });

test("global flags behind the operation or before it change nothing", () => {
  for (const argv of sampleArgvs("aws")) {
    const plain = awsClassifier.classifyArgv(argv).tier;
    const [program = "aws", ...rest] = argv;
    for (const flags of [["--debug"], ["--region", "eu-west-1"], ["--output=json", "--no-cli-pager"]]) {
      expect([argv, awsClassifier.classifyArgv([program, ...flags, ...rest]).tier]).toEqual([argv, plain]);
      if (rest.length > 0)
        expect([argv, awsClassifier.classifyArgv([...argv, ...flags]).tier]).toEqual([argv, plain]);
    }
  }
});

function onQuery(request: HttpRequest, change: (pairs: string[]) => string[]): HttpRequest {
  const [path, query] = request.target.split(/\?(.*)/s);
  if (query === undefined || query === "") return request;
  return { ...request, target: `${path}?${change(query.split("&")).join("&")}` };
}

function onPath(request: HttpRequest, change: (path: string) => string): HttpRequest {
  const [path = "", query] = request.target.split(/\?(.*)/s);
  return { ...request, target: query === undefined ? change(path) : `${change(path)}?${query}` };
}

function onForm(request: HttpRequest, change: (pairs: string[]) => string[]): HttpRequest {
  const isForm = request.headers.some(([, value]) => value.includes("x-www-form-urlencoded"));
  if (!isForm || request.body.kind !== "whole") return request;
  const text = new TextDecoder().decode(request.body.bytes);
  return {
    ...request,
    body: { kind: "whole", bytes: new TextEncoder().encode(change(text.split("&")).join("&")) },
  };
}

function onType(request: HttpRequest, change: (type: string) => string): HttpRequest {
  const headers = request.headers.map(
    ([name, value]): Header => [name, name.toLowerCase() === "content-type" ? change(value) : value],
  );
  return { ...request, headers };
}

function encodeName(pair: string): string {
  return pair.replace(/^[A-Za-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
}

function encodeLetters(path: string): string {
  return path.replace(/[A-Za-z]/g, (letter, at: number) =>
    at % 5 === 0 && path[at - 1] !== "%" && path[at - 2] !== "%"
      ? `%${letter.charCodeAt(0).toString(16)}`
      : letter,
  );
}
