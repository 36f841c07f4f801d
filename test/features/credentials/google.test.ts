// Access tokens of Google: bought with the key of a service account or with a token that is there,
// narrowed to another account, renewed, and never told to anybody.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { generateKeyPairSync, verify } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mintGoogleToken } from "../../../src/features/credentials/minting/google.ts";
import type { GoogleOrigin } from "../../../src/features/credentials/stored-credential.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { connectTls } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";
import { startHttpReceiver } from "../forward/receivers.ts";

const LONG_MS = 300_000;
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
let google: ReturnType<typeof startHttpReceiver>;
let origin: RawOrigin;
let daemon: Daemon;
let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
let laterMs = 0;
let refusal: string | undefined;
let count = 0;
/** The body with which the origin answers, if it has one. */
let given: string | undefined;
let givenFields = "";

beforeAll(async () => {
  folder = await temporaryDirectory();
  google = startHttpReceiver(({ path, headers }) => {
    const date = { date: new Date(Date.now() + laterMs).toUTCString() };
    if (refusal !== undefined) return Response.json({ error: { message: refusal } }, { status: 403 });
    count += 1;
    if (path === "/token")
      return Response.json(
        { access_token: `ya29.granted-canary-${count}`, expires_in: 3600 },
        { headers: date },
      );
    expect(headers.get("authorization")).toMatch(/^Bearer ya29\.(?:granted-canary-\d+|operator-canary)$/);
    const expireTime = new Date(Date.now() + laterMs + 600_000).toISOString();
    return Response.json({ accessToken: `ya29.narrow-canary-${count}`, expireTime }, { headers: date });
  });
  const key = {
    type: "service_account",
    client_email: "iddio@acme.iam.gserviceaccount.com",
    private_key: privateKey.export({ format: "pem", type: "pkcs8" }),
    private_key_id: "key-1",
    token_uri: `${google.origin}/token`,
  };
  await writeFile(join(folder.path, "key.json"), JSON.stringify(key), { mode: 0o600 });
  origin = await startRawOrigin((socket, received) => {
    if (!received.includes("\r\n\r\n")) return;
    if (given === undefined) return void socket.end("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    socket.end(
      `HTTP/1.1 200 OK\r\nContent-Length: ${given.length}\r\nConnection: close\r\n${givenFields}\r\n${given}`,
    );
  });
  daemon = await startDaemon({
    trust: [origin],
    policy: `generic:\n  inspect: ["localhost:${origin.port}"]\n  default: allow\n  groups: { all: { tiers: [observe] } }\n  rules: { allow: { groups: [all] } }\n`,
    now: () => Date.now() + laterMs,
  });
}, LONG_MS);

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
  await google[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
}, LONG_MS);

function add(more: object) {
  return daemon.control.call("credentials_add", {
    name: "gcp",
    kind: "google",
    hosts: [`localhost:${origin.port}`],
    api: google.origin,
    from: "google-key",
    ...more,
  });
}

const placeholder = async () =>
  (await daemon.control.call("credentials_placeholders", {})).placeholders[0]?.placeholder ?? "";

/** A request with a token; gives what its client saw, and the token that arrived. */
async function send(token: string, path = "/v1/x") {
  const before = origin.text.length;
  using client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
  client.send(
    `GET ${path} HTTP/1.1\r\nHost: localhost:${origin.port}\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  const seen = await client.closed();
  return { seen, arrived: /Authorization: Bearer (\S+)/.exec(origin.text.slice(before))?.[1] };
}

/** The token that arrives with a request. */
async function lent(): Promise<string | undefined> {
  return (await send(await placeholder())).arrived;
}

const remove = () => daemon.control.call("credentials_remove", { name: "gcp" });

test(
  "a key buys a token for an hour with a JWT that its public half proves",
  async () => {
    await add({
      path: join(folder.path, "key.json"),
      scopes: ["https://www.googleapis.com/auth/devstorage.read_only"],
    });
    const body = new URLSearchParams(google.received.at(-1)?.body ?? "");
    expect(body.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    const [head = "", claims = "", signature = ""] = (body.get("assertion") ?? "").split(".");
    const isSigned = verify(
      "sha256",
      Buffer.from(`${head}.${claims}`),
      publicKey,
      Buffer.from(signature, "base64url"),
    );
    expect(isSigned).toBe(true);
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({
      iss: "iddio@acme.iam.gserviceaccount.com",
      scope: "https://www.googleapis.com/auth/devstorage.read_only",
      aud: `${google.origin}/token`,
    });
    expect(await lent()).toMatch(/^ya29\.granted-canary-/);
    await remove();
  },
  LONG_MS,
);

test(
  "another account's token is made with it, renewed at four fifths, and each has a row",
  async () => {
    await add({
      path: join(folder.path, "key.json"),
      impersonate: "agent@acme.iam.gserviceaccount.com",
      ttl_s: 600,
    });
    const asked = google.received.at(-1);
    expect(asked?.path).toBe(
      "/v1/projects/-/serviceAccounts/agent@acme.iam.gserviceaccount.com:generateAccessToken",
    );
    expect(JSON.parse(asked?.body ?? "")).toMatchObject({ lifetime: "600s" });
    const first = await lent();
    laterMs = 7.9 * 60_000;
    expect(await lent()).toBe(first);
    laterMs = 8.1 * 60_000;
    const second = await lent();
    expect(second).toMatch(/^ya29\.narrow-canary-/);
    expect(second).not.toBe(first);
    laterMs = 0;
    await remove();
    const account = "agent@acme.iam.gserviceaccount.com";
    const rows = await daemon.rowsWhen(
      (all) => all.filter(({ fields }) => fields.service_account === account).length === 2,
    );
    expect(JSON.stringify(rows)).not.toContain("canary");
  },
  LONG_MS,
);

test(
  "what gcloud prints will do in place of a key",
  async () => {
    await add({
      from: "command",
      argv: ["/usr/bin/printf", "ya29.operator-canary"],
      impersonate: "agent@acme.iam.gserviceaccount.com",
    });
    expect(await lent()).toMatch(/^ya29\.narrow-canary-/);
    await remove();
  },
  LONG_MS,
);

test(
  "a refusal is told without the token that was sent",
  async () => {
    refusal = "ya29.operator-canary may not act as agent";
    const adding = add({
      from: "command",
      argv: ["/usr/bin/printf", "ya29.operator-canary"],
      impersonate: "agent@acme.iam.gserviceaccount.com",
    });
    await expect(adding).rejects.toThrow("Google answered 403: *** may not act as agent");
    refusal = undefined;
    expect((await daemon.control.call("credentials_list", {})).credentials).toEqual([]);
  },
  LONG_MS,
);

test(
  "a machine at Google has a token of its own, also as another account; what is no metadata service is not believed",
  async () => {
    let flavour: Record<string, string> = { "Metadata-Flavor": "Google" };
    await using machine = startHttpReceiver(({ headers }) =>
      headers.get("metadata-flavor") === "Google"
        ? Response.json({ access_token: "ya29.machine-canary", expires_in: 3000 }, { headers: flavour })
        : new Response("no", { status: 403 }),
    );
    const host = new URL(machine.origin).host;
    const read = () =>
      mintGoogleToken(
        MACHINE,
        () => Promise.reject(new Error("no")),
        () => "",
        {
          GCE_METADATA_HOST: host,
        },
      );
    expect(await read()).toMatchObject({ value: "ya29.machine-canary", lifeMs: 3_000_000 });
    expect(machine.received[0]?.path).toBe("/computeMetadata/v1/instance/service-accounts/default/token");
    flavour = {};
    await expect(read()).rejects.toThrow("is no metadata service of Google");
  },
  LONG_MS,
);

const MACHINE: GoogleOrigin = {
  from: "google",
  base: { from: "metadata" },
  account: "",
  scopes: [],
  ttlS: 3600,
  api: "https://iamcredentials.googleapis.com",
};

test(
  "a token that the agent makes with the lent one stays here; an answer that cannot be read is cut",
  async () => {
    await add({ from: "command", argv: ["/usr/bin/printf", "ya29.operator-canary"] });
    const path = "/v1/projects/-/serviceAccounts/other@acme.iam.gserviceaccount.com:generateAccessToken";
    const real = "ya29.c.given-out-canary-0123456789-abcdefghij";
    given = JSON.stringify({ accessToken: real, expireTime: "2026-11-29T16:00:00Z" });
    const { seen } = await send(await placeholder(), path);
    expect(seen).toStartWith("HTTP/1.1 200 ");
    expect(seen).not.toContain("given-out-canary");
    const own = /"accessToken":"([^"]+)"/.exec(seen)?.[1] ?? "";
    expect(own).toHaveLength(real.length);
    expect((await send(own)).arrived).toBe(real);
    for (const [body, fields] of [
      [`{"accessToken":"ya29.c.\\u0067iven-out-canary-0123456789-abcdefghij"}`, ""],
      [`{"accessTokens":"${real}"}`, ""],
      ['{"accessToken":"short"}', ""],
      [given, "Content-Encoding: gzip\r\n"],
    ] as const) {
      given = body;
      givenFields = fields;
      const cut = (await send(await placeholder(), path)).seen;
      expect(cut.slice(cut.indexOf("\r\n\r\n") + 4)).not.toContain("canary");
    }
    given = undefined;
    givenFields = "";
    await remove();
    expect((await send(own)).arrived).toBe(own);
  },
  LONG_MS,
);
