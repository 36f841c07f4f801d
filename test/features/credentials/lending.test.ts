// An agent has placeholders, iddio has the tokens: what is put in their place, where, and what
// never is.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { chown, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { spellingsOf } from "../../../src/gateway/upstream/echo-guard.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { connectTls, connectTunnel } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";
import { startHttpReceiver } from "../forward/receivers.ts";

const SECRET = "s3cret-Canary/with+more=0123456789";
const LONG_MS = 300_000;
let origin: RawOrigin;
let daemon: Daemon;
let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
/** Makes the origin's answer from the request's text. */
let answer = (_received: string): string => "ok";
let placeholder = "";

beforeAll(async () => {
  folder = await temporaryDirectory();
  await writeFile(join(folder.path, "token"), `${SECRET}\n`, { mode: 0o600 });
  origin = await startRawOrigin((socket, received) => {
    if (!received.includes("\r\n\r\n")) return;
    const body = answer(received);
    socket.end(
      `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
  daemon = await startDaemon({
    trust: [origin],
    policy: `generic:\n  inspect: ["localhost:${origin.port}", "127.0.0.1:${origin.port}"]\n  default: allow\n  groups: { all: { tiers: [observe, modify, sensitive, break-glass] } }\n  rules: { allow: { groups: [all] } }\n`,
  });
  await daemon.control.call("credentials_add", {
    name: "api",
    kind: "generic",
    from: "file",
    path: join(folder.path, "token"),
    hosts: [`localhost:${origin.port}`],
  });
  const { placeholders } = await daemon.control.call("credentials_placeholders", {});
  placeholder = placeholders[0]?.placeholder ?? "";
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Sends a request through an intercepted tunnel; gives what the client and the origin saw. */
async function send(fields: string, { host = "localhost", method = "GET" } = {}) {
  const before = origin.text.length;
  using client = await connectTls(daemon.port, `${host}:${origin.port}`, { ca: daemon.caPem });
  client.send(`${method} /x HTTP/1.1\r\nHost: ${host}:${origin.port}\r\nConnection: close\r\n${fields}\r\n`);
  const seen = await client.closed();
  return { seen, arrived: origin.text.slice(before) };
}

describe("what arrives at the host of the credential", () => {
  test("the value in place of the placeholder, in whatever field it stands", async () => {
    for (const [field, wanted] of [
      [`Authorization: Bearer ${placeholder}`, `Authorization: Bearer ${SECRET}`],
      [`authorization: token ${placeholder}`, `authorization: token ${SECRET}`],
      [`X-Api-Key: ${placeholder}`, `X-Api-Key: ${SECRET}`],
      [
        `Authorization: Basic ${Buffer.from(`x-access-token:${placeholder}`).toString("base64")}`,
        `Authorization: Basic ${Buffer.from(`x-access-token:${SECRET}`).toString("base64")}`,
      ],
    ] as const) {
      const { seen, arrived } = await send(`${field}\r\n`);
      expect(seen).toStartWith("HTTP/1.1 200 ");
      expect(arrived).toContain(`\r\n${wanted}\r\n`);
      expect(arrived).not.toContain(placeholder);
    }
  });

  test("a request without a placeholder goes on octet for octet", async () => {
    const { arrived } = await send("Accept-Encoding: gzip\r\nAuthorization: Bearer own\r\n");
    expect(arrived).toContain("\r\nAccept-Encoding: gzip\r\nAuthorization: Bearer own\r\n");
  });

  test("no coding that could not be looked through is asked for", async () => {
    const { arrived } = await send(`Accept-Encoding: br, gzip\r\nAuthorization: Bearer ${placeholder}\r\n`);
    expect(arrived).toContain("\r\nAccept-Encoding: identity\r\n");
  });
});

describe("where the value never goes", () => {
  test("to another host, although it is allowed", async () => {
    const { seen, arrived } = await send(`Authorization: Bearer ${placeholder}\r\n`, { host: "127.0.0.1" });
    expect(seen).toStartWith("HTTP/1.1 403 ");
    expect(seen).toContain("is not for 127.0.0.1");
    expect(arrived).toBe("");
  });

  test("with a method that sends back what it got", async () => {
    const sent = send(`Authorization: Bearer ${placeholder}\r\n`, { method: "TRACE" });
    const [held] = await daemon.pending();
    await daemon.control.call("approvals_allow", { id: held?.id ?? "" });
    const { seen, arrived } = await sent;
    expect(seen).toStartWith("HTTP/1.1 403 ");
    expect(arrived).not.toContain(SECRET);
  });

  test("over plain HTTP", async () => {
    const plain = await startDaemon({
      policy: `generic:\n  inspect: ["localhost:${origin.port}"]\n  default: allow\n  groups: { all: { tiers: [observe] } }\n  rules: { allow: { groups: [all] } }\n`,
    });
    await using _ = plain;
    await plain.control.call("credentials_add", {
      name: "api",
      kind: "generic",
      from: "file",
      path: join(folder.path, "token"),
      hosts: [`localhost:${origin.port}`],
    });
    const { placeholders } = await plain.control.call("credentials_placeholders", {});
    const own = placeholders[0]?.placeholder ?? "";
    const before = origin.text.length;
    const answered = await fetch(`http://localhost:${origin.port}/x`, {
      proxy: `http://127.0.0.1:${plain.port}`,
      headers: { authorization: `Bearer ${own}` },
    });
    expect(answered.status).toBe(403);
    expect(await answered.text()).toContain("is not sent without TLS");
    expect(origin.text.slice(before)).not.toContain(SECRET);
  });

  test("with a field that Connection names", async () => {
    const { client } = await connectTunnel(daemon.port, `localhost:${origin.port}`);
    client[Symbol.dispose]();
    const { seen, arrived } = await send(
      `Connection: Authorization\r\nAuthorization: Bearer ${placeholder}\r\n`,
    );
    expect(seen).toStartWith("HTTP/1.1 400 ");
    expect(arrived).toBe("");
  });

  test("by another user of the machine", async () => {
    if (process.getuid?.() !== 0 || Bun.which("setpriv") === null || Bun.which("curl") === null) {
      process.stderr.write("only root with setpriv and curl can try another user\n");
      return;
    }
    const before = origin.text.length;
    const url = `https://localhost:${origin.port}/x`;
    const field = `Authorization: Bearer ${placeholder}`;
    const curl = [
      "curl",
      "-sk",
      "--max-time",
      "60",
      "-x",
      `http://127.0.0.1:${daemon.port}`,
      "-H",
      field,
      url,
    ];
    const as = (user: readonly string[]) =>
      Bun.spawn([...user, ...curl], {
        env: { PATH: process.env.PATH ?? "" },
        stdout: "pipe",
        stderr: "ignore",
      });
    const other = as(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]);
    expect(await new Response(other.stdout).text()).toContain("is lent to no other user");
    expect(origin.text.slice(before)).toBe("");
    expect(await new Response(as([]).stdout).text()).toBe("ok");
    expect(origin.text.slice(before)).toContain(SECRET);
  });

  test("with the placeholder of a run, outside of that run", async () => {
    const { placeholders } = await daemon.control.call("credentials_placeholders", { run_id: "run_1" });
    expect(placeholders[0]?.placeholder).not.toBe(placeholder);
    const { arrived } = await send(`Authorization: Bearer ${placeholders[0]?.placeholder}\r\n`);
    expect(arrived).not.toContain(SECRET);
  });
});

describe("an answer that holds the value", () => {
  const basic = () => Buffer.from(`x-access-token:${SECRET}`).toString("base64");
  for (const [name, body] of [
    ["as it is", () => `you sent ${SECRET}!`],
    ["percent-encoded", () => `you sent ${encodeURIComponent(SECRET)}!`],
    ["in base64, at whatever place", () => `you sent ${basic()}!`],
  ] as const)
    test(`${name}: is cut before the client sees it, and recorded`, async () => {
      answer = body;
      const { seen, arrived } = await send(`Authorization: Bearer ${placeholder}\r\n`);
      answer = () => "ok";
      expect(arrived).toContain(SECRET);
      expect(seen).not.toContain(body());
      const rows = await daemon.rowsWhen((all) =>
        all.some(({ fields }) => fields.command === "credential echoed"),
      );
      expect(JSON.stringify(rows)).not.toContain(SECRET);
    });

  test("in pieces: no spelling passes, whatever the cut", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 12, maxLength: 60, unit: "grapheme-ascii" }),
        fc.nat(2),
        (value, shift) => {
          const encoded = Buffer.from(`${"u".repeat(shift)}:${value}`).toString("base64");
          const found = spellingsOf(value).some((each) =>
            encoded.includes(Buffer.from(each).toString("latin1")),
          );
          expect(found).toBe(true);
        },
      ),
    );
  });
});

test("no value is in what the daemon writes or tells", async () => {
  await send(`Authorization: Bearer ${placeholder}\r\n`);
  const { credentials } = await daemon.control.call("credentials_list", {});
  const files = await Promise.all(
    ["audit.jsonl", "iddio.log", "state.db", "state.db-wal"].map((name) =>
      readFile(join(daemon.home, name), "latin1").catch(() => ""),
    ),
  );
  expect(JSON.stringify(credentials) + files.join("")).not.toContain(SECRET);
});

describe("sources", () => {
  test("a file that others may read is not used", async () => {
    const path = join(folder.path, "open");
    await writeFile(path, SECRET, { mode: 0o666 });
    Bun.spawnSync(["chmod", "666", path]);
    const adding = daemon.control.call("credentials_add", {
      name: "open",
      kind: "github",
      from: "file",
      path,
    });
    await expect(adding).rejects.toThrow("is not read");
  });

  test("a program that the user can change is not run", async () => {
    const path = join(folder.path, "tool");
    await writeFile(path, "#!/bin/sh\necho x\n", { mode: 0o755 });
    // A file of root's would be one that only root can change.
    if (process.getuid?.() === 0) await chown(path, 65534, 65534);
    const adding = daemon.control.call("credentials_add", {
      name: "tool",
      kind: "github",
      from: "command",
      argv: [path],
    });
    await expect(adding).rejects.toThrow(/can be changed by others/);
  });

  test("a program of the system is, and its line end is no part of the value", async () => {
    const argv = ["/usr/bin/printf", "tok-%s\\n", "en"];
    const { credential } = await daemon.control.call("credentials_add", {
      name: "printed",
      kind: "github",
      from: "command",
      argv,
    });
    expect(credential.problem).toBeUndefined();
    await daemon.control.call("credentials_remove", { name: "printed" });
  });

  test("a value with a line end inside is refused: it would be another field", async () => {
    const path = join(folder.path, "two-lines");
    await writeFile(path, "one\r\nX-Evil: two\n", { mode: 0o600 });
    const adding = daemon.control.call("credentials_add", {
      name: "two",
      kind: "github",
      from: "file",
      path,
    });
    await expect(adding).rejects.toThrow("more than one line");
  });
});

test(
  "a GitHub App's tokens are narrowed, renewed, recorded without value, and ended on request",
  async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const path = join(folder.path, "app.pem");
    await writeFile(path, privateKey.export({ format: "pem", type: "pkcs1" }), { mode: 0o600 });
    await using github = startHttpReceiver(({ method }) =>
      method === "DELETE"
        ? new Response(null, { status: 204 })
        : Response.json(
            { token: "ghs_minted-canary", expires_at: new Date(Date.now() + 3_600_000).toISOString() },
            { status: 201 },
          ),
    );
    const { credential } = await daemon.control.call("credentials_add", {
      name: "bot",
      kind: "github",
      from: "github-app",
      app_id: "12345",
      installation_id: "678",
      path,
      repositories: ["web"],
      permissions: { contents: "read" },
      api: github.origin,
    });
    expect(credential.expires_ms).toBeGreaterThan(Date.now());
    const [asked] = github.received;
    expect(asked?.path).toBe("/app/installations/678/access_tokens");
    expect(JSON.parse(asked?.body ?? "")).toEqual({
      repositories: ["web"],
      permissions: { contents: "read" },
    });
    const [, claims = ""] = asked?.headers.get("authorization")?.split(" ")[1]?.split(".") ?? [];
    const { iat, exp, iss } = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<
      string,
      number
    >;
    expect(String(iss)).toBe("12345");
    expect((exp ?? 0) - (iat ?? 0)).toBeLessThanOrEqual(600);
    const rows = await daemon.rowsWhen((all) =>
      all.some(({ fields }) => fields.command === "credential minted"),
    );
    expect(JSON.stringify(rows)).not.toContain("ghs_minted-canary");
    await daemon.control.call("credentials_revoke", { name: "bot" });
    expect(github.received.at(-1)).toMatchObject({ method: "DELETE", path: "/installation/token" });
    await daemon.control.call("credentials_remove", { name: "bot" });
  },
  LONG_MS,
);
