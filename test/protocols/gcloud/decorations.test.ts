// Spellings that Google's servers or gcloud would treat the same get the same answer; no mere
// addition to a request or command line lowers its tier. And the compact data must agree with the
// discovery documents.

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Classification } from "../../../src/model/classification.ts";
import type { HttpRequest } from "../../../src/model/request.ts";
import { stricterTier } from "../../../src/model/tier.ts";
import { gcloudClassifier } from "../../../src/protocols/gcloud/classify.ts";
import {
  findMethod,
  googleService,
  googleTable,
  type PublishedMethod,
} from "../../../src/protocols/gcloud/methods.ts";
import { splitTarget } from "../../../src/wire/path.ts";
import { sampleArgvs, sampleRequests } from "../samples.ts";

const requests = sampleRequests("gcloud");
const argvs = sampleArgvs("gcloud");
const essence = ({ tier, command, labels }: Classification) => ({ tier, command, labels });

function expectSame(given: HttpRequest, decorated: HttpRequest): void {
  const [want, got] = [gcloudClassifier.classify(given), gcloudClassifier.classify(decorated)];
  expect([decorated.target, essence(got)]).toEqual([decorated.target, essence(want)]);
}

test("escaped letters in the path never lower a tier", () => {
  fc.assert(
    fc.property(fc.constantFrom(...requests), fc.array(fc.nat(), { maxLength: 6 }), (given, places) => {
      const { path, query } = splitTarget(given.target);
      const letters = [...path];
      for (const place of places) {
        const at = place % letters.length;
        const letter = letters[at] ?? "";
        if (/^[a-z0-9:]$/i.test(letter) && letters[at - 1] !== "%" && letters[at - 2] !== "%")
          letters[at] = `%${letter.charCodeAt(0).toString(16)}`;
      }
      const target = letters.join("") + (query === undefined ? "" : `?${query}`);
      const want = gcloudClassifier.classify(given).tier;
      const got = gcloudClassifier.classify({ ...given, target }).tier;
      expect([target, stricterTier(got, want)]).toEqual([target, got]);
    }),
    { seed: 1, numRuns: 400 },
  );
});

test("a trailing slash, more query, another order of the query, another version", () => {
  for (const given of requests) {
    const { path, query } = splitTarget(given.target);
    const pairs = query === undefined ? [] : query.split("&");
    if (!path.endsWith("/") && !path.startsWith("/batch"))
      expectSame(given, { ...given, target: `${path}/${query === undefined ? "" : `?${query}`}` });
    for (const more of ["prettyPrint=false", "fields=name", "$alt=json", "key=x", ""])
      expectSame(given, { ...given, target: `${path}?${[...pairs, more].join("&")}` });
    if (pairs.length > 1) expectSame(given, { ...given, target: `${path}?${pairs.toReversed().join("&")}` });
  }
});

test("regional and mutual TLS hosts are the service itself", () => {
  for (const given of requests) {
    const name = given.host.replace(/\.googleapis\.com$/, "");
    if (!/^[a-z]+$/.test(name) || ["www", "oauth2", "storage"].includes(name)) continue;
    const want = gcloudClassifier.classify(given);
    for (const host of [
      `${name}.mtls.googleapis.com`,
      `us-east1-${name}.googleapis.com`,
      `${name}.us-east1.rep.googleapis.com`,
    ]) {
      const got = gcloudClassifier.classify({ ...given, host });
      expect([host, given.target, got.tier, got.command]).toEqual([
        host,
        given.target,
        want.tier,
        want.command,
      ]);
    }
  }
});

test("global flags anywhere before `--` change nothing but labels", () => {
  const flags = [
    ["--quiet"],
    ["--format", "json"],
    ["--verbosity=debug"],
    ["--account", "delete"],
    ["--billing-project=x"],
  ];
  for (const argv of argvs)
    for (const flag of flags)
      for (let at = 1; at <= argv.length; at++) {
        // Between a flag and its value a flag would be the value.
        if (argv[at - 1]?.startsWith("-") && !argv[at - 1]?.includes("=")) continue;
        const got = gcloudClassifier.classifyArgv([...argv.slice(0, at), ...flag, ...argv.slice(at)]);
        expect([argv, at, essence(got)]).toEqual([argv, at, essence(gcloudClassifier.classifyArgv(argv))]);
      }
});

test("every service of the table can be read", () => {
  const names = [...googleTable.services()];
  expect(names.length).toBeGreaterThan(300);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) {
    const service = googleService(name);
    expect([name, service?.root.literals.size === 0 && service.root.one === undefined]).toEqual([
      name,
      false,
    ]);
  }
});

test("method ids come out as the vendor spells them", () => {
  const rows: readonly (readonly [
    service: string,
    path: string,
    verb: string | undefined,
    method: PublishedMethod,
    id: string,
  ])[] = [
    ["compute", "compute/v1/projects/p/zones/z/instances", undefined, "POST", "compute.instances.insert"],
    [
      "compute",
      "compute/v1/projects/p/global/networks/n/addPeering",
      undefined,
      "POST",
      "compute.networks.addPeering",
    ],
    ["bigquery", "bigquery/v2/projects/p/datasets/d/tables/t", undefined, "PUT", "bigquery.tables.update"],
    ["content", "content/v2.1/1/products", undefined, "GET", ""],
    ["calendar", "calendar/v3/calendars/c/events/quickAdd", undefined, "POST", "calendar.events.quickAdd"],
    ["storage", "storage/v1/b/b/o/o/rewriteTo/b/c/o/d", undefined, "POST", "storage.objects.rewrite"],
    ["pubsub", "v1/projects/p/subscriptions/s", "pull", "POST", "pubsub.projects.subscriptions.pull"],
    ["gmail", "gmail/v1/users/me/messages/send", undefined, "POST", "gmail.users.messages.send"],
  ];
  for (const [name, path, verb, method, id] of rows) {
    const service = googleService(name);
    const found = service === undefined ? undefined : findMethod(service, path.split("/"), verb, method);
    expect([path, found?.id ?? ""]).toEqual([path, id]);
  }
});
