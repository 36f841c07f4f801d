// Requests that are signed again inside of a daemon: signed chunks, what a role's keys are narrowed
// to, clocks, hosts that never get a signature, and surfaces on which no key may appear.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../../../src/features/credentials/aws/canonical-request.ts";
import { authorization, signatureOver, signingKey } from "../../../src/features/credentials/aws/signature.ts";
import type { Header } from "../../../src/model/request.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { checkSignature } from "../../support/stand-ins/sigv4.ts";
import type { StandInRequest } from "../../support/stand-ins/stand-in.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { connectTls } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";
import { startHttpReceiver } from "../forward/receivers.ts";

const LONG_MS = 300_000;
const KEY = "AKIARTX3GSDSQAEXAMPL";
const SECRET = "the/Real+Secret0123456789abcdefghijklmno";
const ROLE = "arn:aws:iam::444455556666:role/agent";
let origin: RawOrigin;
let daemon: Daemon;
let sts: ReturnType<typeof startHttpReceiver>;
let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
let laterMs = 0;
let originAheadMs = 0;
let refusal: string | undefined;
let minted = 0;
/** Keys that STS gave, secret by access key. */
const sessions = new Map<
  string,
  { readonly secret: string; readonly token: string; readonly policy: string }
>();

beforeAll(async () => {
  folder = await temporaryDirectory();
  await writeFile(join(folder.path, "keys"), `${KEY}:${SECRET}`, { mode: 0o600 });
  sts = startHttpReceiver(({ body, headers, path }) => {
    const request = standIn("POST", path, [...headers], Buffer.from(body), new URL(sts.origin).host);
    const { problem, accessKey } = checkSignature(request, SECRET);
    if (problem !== undefined || accessKey !== KEY || refusal !== undefined)
      return new Response(
        `<Error><Code>AccessDenied</Code><Message>${refusal ?? problem}</Message></Error>`,
        { status: 403 },
      );
    minted += 1;
    const asked = new URLSearchParams(body);
    const key = `ASIARTX3GSDSQAEXAM${String(minted).padStart(2, "0")}`;
    const session = {
      secret: `minted-secret-canary-${minted}`,
      token: `minted-token-canary-${minted}`,
      policy: asked.get("Policy") ?? "",
    };
    sessions.set(key, session);
    const end = new Date(Date.now() + laterMs + Number(asked.get("DurationSeconds")) * 1000).toISOString();
    return new Response(
      `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>${key}</AccessKeyId><SecretAccessKey>${session.secret}</SecretAccessKey><SessionToken>${session.token}</SessionToken><Expiration>${end}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
      { headers: { date: new Date(Date.now() + laterMs).toUTCString() } },
    );
  });
  origin = await startRawOrigin((socket, received) => {
    const at = received.indexOf("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
    if (at < 0 || received.length < at + 4 + length) return;
    const date = new Date(Date.now() + originAheadMs).toUTCString();
    const body = received.includes("/echo") ? received : "";
    const status = received.includes("/echo") ? "403 Forbidden" : "200 OK";
    socket.end(
      `HTTP/1.1 ${status}\r\nDate: ${date}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
  daemon = await startDaemon({
    trust: [origin],
    policy: `generic:\n  inspect: ["localhost:${origin.port}", "127.0.0.1:${origin.port}"]\n  default: allow\n  groups: { all: { tiers: [observe, modify, sensitive] } }\n  rules: { allow: { groups: [all] } }\n`,
    now: () => Date.now() + laterMs,
  });
}, LONG_MS);

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
  await sts[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
}, LONG_MS);

function standIn(
  method: string,
  target: string,
  headers: readonly Header[],
  body: Uint8Array,
  host: string,
): StandInRequest {
  const [path = "", query = ""] = target.split(/\?(.*)/s);
  return { version: "1.1", method, host, target, path, query: new URLSearchParams(query), headers, body };
}

async function lend(more: object = {}) {
  await daemon.control.call("credentials_add", {
    name: "prod",
    kind: "aws",
    from: "file",
    path: join(folder.path, "keys"),
    hosts: [`localhost:${origin.port}`],
    ...more,
  });
  const { placeholders } = await daemon.control.call("credentials_placeholders", {});
  const { AWS_ACCESS_KEY_ID: accessKey = "", AWS_SECRET_ACCESS_KEY: secretKey = "" } =
    placeholders[0]?.environment ?? {};
  return {
    accessKey,
    secretKey,
    [Symbol.asyncDispose]: async () => {
      await daemon.control.call("credentials_remove", { name: "prod" });
    },
  };
}

interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly chunks?: readonly string[];
  readonly atMs?: number;
  readonly fields?: readonly Header[];
}

/** Signs a request with placeholder keys, sends it, and gives what the client and the origin saw. */
async function send({ accessKey, secretKey }: { accessKey: string; secretKey: string }, sent: Sent = {}) {
  const { method = "GET", target = "/x", host = "localhost", chunks, atMs = Date.now(), fields = [] } = sent;
  const time = new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = { day: time.slice(0, 8), region: "us-east-1", service: "s3" };
  const scopeText = `${scope.day}/us-east-1/s3/aws4_request`;
  const payload = chunks === undefined ? sha256("") : "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
  const headers: Header[] = [
    ["Host", `${host}:${origin.port}`],
    ["X-Amz-Date", time],
    ["X-Amz-Content-Sha256", payload],
    ...fields,
  ];
  const signed = headers.map(([name]) => name.toLowerCase()).sort();
  const key = signingKey(secretKey, scope);
  const reading = { path: "sent", query: "sent" } as const;
  const seed = signatureOver(
    { method, target, headers, payload },
    { time, scope: scopeText },
    signed,
    reading,
    key,
  );
  let before = seed;
  const next = (kind: string, hashes: string) => {
    before = createHmac("sha256", key)
      .update([kind, time, scopeText, before, hashes].join("\n"))
      .digest("hex");
    return before;
  };
  const body =
    chunks === undefined
      ? ""
      : [...chunks, ""]
          .map((data) => {
            const signature = next("AWS4-HMAC-SHA256-PAYLOAD", `${sha256("")}\n${sha256(data)}`);
            return `${data.length.toString(16)};chunk-signature=${signature}\r\n${data}${data === "" ? "" : "\r\n"}`;
          })
          .join("")
          .concat(
            `x-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:${next("AWS4-HMAC-SHA256-TRAILER", sha256("x-amz-checksum-crc32:AAAAAA==\n"))}\r\n\r\n`,
          );
  const all = [
    ...headers,
    ["Authorization", authorization(accessKey, scopeText, signed, seed)] as const,
    ...(body === "" ? [] : [["Content-Length", String(body.length)] as const]),
    ["Connection", "close"] as const,
  ];
  const at = origin.text.length;
  using client = await connectTls(daemon.port, `${host}:${origin.port}`, { ca: daemon.caPem });
  client.send(
    `${method} ${target} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`,
  );
  const seen = await client.closed();
  const arrived = origin.text.slice(at);
  const [head = "", ...rest] = arrived.split("\r\n\r\n");
  const lines = head.split("\r\n");
  const got = standIn(
    method,
    lines[0]?.split(" ")[1] ?? "",
    lines
      .slice(1)
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)] as const),
    Buffer.from(rest.join("\r\n\r\n"), "latin1"),
    host,
  );
  return { seen, arrived, got };
}

test(
  "what arrives is signed with the real key, also in signed chunks with a trailer",
  async () => {
    await using keys = await lend();
    const plain = await send(keys);
    expect(plain.seen).toStartWith("HTTP/1.1 200 ");
    expect(checkSignature(plain.got, SECRET)).toMatchObject({ problem: undefined, accessKey: KEY });
    const streamed = await send(keys, { method: "PUT", chunks: ["a".repeat(70_000), "rest"] });
    expect(streamed.seen).toStartWith("HTTP/1.1 200 ");
    expect(checkSignature(streamed.got, SECRET)).toMatchObject({ problem: undefined, accessKey: KEY });
    expect(streamed.arrived).not.toContain(keys.accessKey);
  },
  LONG_MS,
);

test(
  "a role's keys are minted for one action, kept for it, and each mint has a row",
  async () => {
    await using keys = await lend({ role: ROLE, api: sts.origin, external_id: "ext-1", session: "role" });
    expect(keys.accessKey).toMatch(/^AKIA/);
    const before = minted;
    const first = await send(keys);
    const key = checkSignature(first.got, "").accessKey ?? "";
    const session = sessions.get(key);
    expect(checkSignature(first.got, session?.secret ?? "").problem).toBeUndefined();
    expect(first.arrived).toContain(`X-Amz-Security-Token: ${session?.token}`);
    await send(keys);
    expect(minted).toBe(before);
    laterMs = 12.5 * 60_000;
    const later = await send(keys, { atMs: Date.now() + laterMs });
    expect(later.seen).toStartWith("HTTP/1.1 200 ");
    expect(minted).toBe(before + 1);
    laterMs = 0;
    const asked = new URLSearchParams(sts.received.at(-1)?.body ?? "");
    expect(Object.fromEntries(asked)).toMatchObject({
      RoleArn: ROLE,
      ExternalId: "ext-1",
      DurationSeconds: "900",
    });
    expect(asked.get("RoleSessionName")).toMatch(/^iddio-prod-/);
    const rows = await daemon.rowsWhen((all) => all.some(({ fields }) => fields.id === key));
    expect(rows.find(({ fields }) => fields.id === key)?.fields).toMatchObject({
      role: ROLE,
      command: "credential minted",
    });
  },
  LONG_MS,
);

test(
  "where no keys can be minted the request is refused, with the reason and without the keys",
  async () => {
    await using keys = await lend({ role: ROLE, api: sts.origin, session: "role" });
    refusal = `${SECRET} may not assume it`;
    laterMs = 20 * 60_000;
    const { seen, arrived } = await send(keys, { atMs: Date.now() + laterMs });
    laterMs = 0;
    refusal = undefined;
    expect(seen).toStartWith("HTTP/1.1 403 ");
    expect(seen).toContain("STS answered 403: AccessDenied: *** may not assume it");
    expect(arrived).toBe("");
  },
  LONG_MS,
);

test(
  "a signature of another time is not believed, but AWS's clock is",
  async () => {
    await using keys = await lend();
    const hour = Date.now() + 3_600_000;
    expect((await send(keys, { atMs: hour })).seen).toContain("has a signature that is not of now");
    originAheadMs = 3_600_000;
    await send(keys);
    expect((await send(keys, { atMs: hour })).seen).toStartWith("HTTP/1.1 200 ");
    originAheadMs = 0;
    await send(keys, { atMs: hour });
  },
  LONG_MS,
);

test(
  "no other host gets a signature",
  async () => {
    await using keys = await lend();
    const { seen, arrived } = await send(keys, { host: "127.0.0.1" });
    expect(seen).toStartWith("HTTP/1.1 403 ");
    expect(seen).toContain("is no endpoint of a service of AWS");
    expect(arrived).toBe("");
  },
  LONG_MS,
);

test(
  "what was signed with another key goes on unchanged",
  async () => {
    await using _ = await lend();
    const own = { accessKey: "AKIAOTHEROTHEROTHER7", secretKey: "other" };
    const { arrived } = await send(own);
    expect(arrived).toContain("Credential=AKIAOTHEROTHEROTHER7/");
  },
  LONG_MS,
);

test(
  "an answer that quotes the session's token is cut",
  async () => {
    await using keys = await lend({ role: ROLE, api: sts.origin, session: "role" });
    const { seen, arrived } = await send(keys, { target: "/echo" });
    expect(arrived).toContain("minted-token-canary");
    expect(seen).not.toContain("minted-token-canary");
  },
  LONG_MS,
);

test(
  "no secret is in what the daemon writes or tells",
  async () => {
    const names = await readdir(daemon.home, { recursive: true });
    const files = await Promise.all(
      names.map((name) => readFile(join(daemon.home, name), "latin1").catch(() => "")),
    );
    const { credentials } = await daemon.control.call("credentials_list", {});
    const all = files.join("") + JSON.stringify(credentials);
    for (const secret of [SECRET, "minted-secret-canary", "minted-token-canary"])
      expect(all.includes(secret)).toBe(false);
  },
  LONG_MS,
);
