// Real-looking requests and command lines a protocol, for the laws: a few written here, and a
// spread of the classification cases.

import type { Protocol } from "../../src/model/protocol.ts";
import type { Header, HttpRequest, RequestBody } from "../../src/model/request.ts";
import { splitUrl } from "../../src/protocols/batch.ts";
import { type Case, CORPORA, readCorpus } from "../truth/corpora.ts";
import { requestOf } from "./request-of.ts";

/** How many of the given cases each protocol is tried on. */
const SPREAD = 120;

const WRITTEN: Readonly<Record<Protocol, readonly string[]>> = {
  kubectl: [
    "GET https://k.example:6443/api/v1/namespaces/a/pods",
    "GET https://k.example:6443/api/v1/namespaces/a/secrets/s",
    "DELETE https://k.example:6443/api/v1/namespaces/a/pods/p?dryRun=All",
    "POST https://k.example:6443/api/v1/namespaces/a/pods/p/exec?command=sh",
    "PATCH https://k.example:6443/apis/apps/v1/namespaces/a/deployments/d?dryRun=All",
    "GET https://k.example:6443/version",
  ],
  gcloud: [
    "GET https://compute.googleapis.com/compute/v1/projects/p/zones/z/instances",
    "DELETE https://compute.googleapis.com/compute/v1/projects/p/zones/z/instances/i",
    "POST https://cloudresourcemanager.googleapis.com/v1/projects/p:setIamPolicy",
  ],
  aws: [
    "GET https://acme.s3.amazonaws.com/key?acl",
    "DELETE https://acme.s3.amazonaws.com/key",
    "POST https://ec2.us-east-1.amazonaws.com/",
    "GET https://sts.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
  ],
  github: [
    "GET https://api.github.com/repos/a/b/pulls",
    "DELETE https://api.github.com/repos/a/b",
    "POST https://api.github.com/graphql",
  ],
  terraform: [
    "GET https://providers.example/v1/providers/a/b/versions",
    "POST https://app.terraform.io/api/v2/runs",
  ],
  helm: ["GET https://charts.example/index.yaml", "DELETE https://charts.example/api/charts/a/1"],
  cloudflare: [
    "GET https://api.cloudflare.com/client/v4/zones",
    "DELETE https://api.cloudflare.com/client/v4/zones/z/dns_records/r",
  ],
  mcp: [
    "POST https://mcp.example/mcp",
    "GET https://mcp.example/mcp",
    "DELETE https://mcp.example/mcp",
    "GET https://mcp.example/.well-known/oauth-protected-resource",
  ],
  fly: ["GET https://api.machines.dev/v1/apps/a/machines", "POST https://api.fly.io/graphql"],
  ssh: ["GET https://prod.example.com/"],
  generic: ["GET https://h.example/a", "POST https://h.example/v1/delete-user", "DELETE https://h.example/a"],
};

/** Of the protocols without command lines in the corpora. */
const WRITTEN_LINES: Partial<Readonly<Record<Protocol, readonly (readonly string[])[]>>> = {
  ssh: [
    ["ssh", "prod", "uname -a"],
    ["ssh", "prod", "sudo", "reboot"],
    ["scp", "a", "prod:/etc/b"],
    ["sftp", "prod"],
  ],
};

const corpora = CORPORA.flatMap(readCorpus);

/** Requests of a protocol. */
export function sampleRequests(protocol: Protocol): readonly HttpRequest[] {
  const given = spread(corpora.filter((row) => row.protocol === protocol && row.url !== undefined));
  return [...WRITTEN[protocol].map((line) => requestOf(line)), ...given.flatMap(requestOfCase)];
}

/** Command lines of a protocol. */
export function sampleArgvs(protocol: Protocol): readonly (readonly string[])[] {
  const given = spread(corpora.filter((row) => row.protocol === protocol));
  return [...(WRITTEN_LINES[protocol] ?? []), ...given.flatMap((row) => (row.argv ? [row.argv] : []))];
}

function spread<T>(rows: readonly T[]): readonly T[] {
  const step = Math.max(1, Math.floor(rows.length / SPREAD));
  return rows.filter((_, index) => index % step === 0);
}

function requestOfCase(row: Case): readonly HttpRequest[] {
  const split = splitUrl(row.url ?? "");
  if ("problem" in split || row.method === undefined) return [];
  const headers = Object.entries(row.headers ?? {}).map(([name, value]): Header => [name, String(value)]);
  // Bodies under a content coding belong to anyone who decodes them.
  if (headers.some(([name]) => name.toLowerCase() === "content-encoding")) return [];
  return [{ method: row.method, ...split, headers, body: bodyOf(row) }];
}

function bodyOf({ body, body_b64: base64 }: Case): RequestBody {
  if (body !== undefined) return { kind: "whole", bytes: new TextEncoder().encode(body) };
  if (base64 !== undefined) return { kind: "whole", bytes: new Uint8Array(Buffer.from(base64, "base64")) };
  return { kind: "none" };
}
