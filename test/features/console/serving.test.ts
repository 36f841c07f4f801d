// How the console is served: to whom, under which name, to which page, with which token. Each test
// is an attack that must fail, against the compiled program.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import { consoleUrl } from "../../support/pages/console-page.ts";

const IS_ROOT = process.getuid?.() === 0;

let gateway: GatewayProcess;
let origin: string;
let port: number;

beforeAll(async () => {
  gateway = await startGatewayProcess({
    policy: "generic:\n  inspect: ['127.0.0.1:*']\n  default: escalate\n",
  });
  const url = new URL(await consoleUrl(gateway));
  ({ origin } = url);
  port = Number(url.port);
}, 120_000);

afterAll(() => gateway[Symbol.asyncDispose](), 60_000);

const JSON_HEADERS = () => ({ origin, "content-type": "application/json" });

async function token(args: readonly string[] = []): Promise<string> {
  return new URL(await consoleUrl(gateway, args)).hash.slice(1);
}

function exchange(given: string, headers: Record<string, string> = JSON_HEADERS()): Promise<Response> {
  return fetch(`${origin}/session`, { method: "POST", headers, body: JSON.stringify({ token: given }) });
}

async function session(args: readonly string[] = []): Promise<Record<string, string>> {
  const { secret } = (await (await exchange(await token(args))).json()) as { readonly secret: string };
  return { ...JSON_HEADERS(), authorization: `Bearer ${secret}` };
}

/** A stream that does not end is an error of its own, before the runner ends the daemon with the test. */
const post = (path: string, headers: Record<string, string>, input: unknown = {}) =>
  fetch(`${origin}${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(input),
    signal: AbortSignal.timeout(60_000),
  });

/** One raw request; gives the status line. */
function raw(lines: readonly string[], host = "127.0.0.1"): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(port, host, () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
    if (text.includes("\r\n")) {
      resolve(text.split("\r\n")[0] ?? "");
      socket.destroy();
    }
  });
  socket.on("error", reject);
  socket.on("close", () => resolve(text));
  return promise;
}

describe("the console answers", () => {
  test("only to its own name: every other Host, and the address itself, is another site's", async () => {
    const own = `localhost:${port}`;
    expect(await raw(["GET / HTTP/1.1", `Host: ${own}`])).toContain("200");
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      `127.0.0.1:${port}`,
      `[::1]:${port}`,
      "localhost",
      `localhost:${port + 1}`,
      `localhost.evil.example:${port}`,
      `${own}.`,
      `LOCALHOST:${port}x`,
    ])
      expect(`${host}: ${await raw(["GET / HTTP/1.1", `Host: ${host}`])}`).toMatch(/ 4\d\d /);
    expect(await raw(["GET / HTTP/1.1", `Host: ${own}`, "Host: evil.example"])).not.toContain("200");
    expect(await raw(["GET http://evil.example/ HTTP/1.1", "Host: evil.example"])).not.toContain("200");
  });

  test("on 127.0.0.1 and on ::1, so that nobody else is the same origin", async () => {
    for (const host of ["127.0.0.1", "::1"])
      expect(await raw(["GET / HTTP/1.1", `Host: localhost:${port}`], host)).toContain("200");
  });

  test("with headers that forbid framing, keeping, guessing, inline scripts and workers", async () => {
    const { headers } = await fetch(`${origin}/`);
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("set-cookie")).toBeNull();
    const policy = headers.get("content-security-policy") ?? "";
    for (const part of [
      "default-src 'none'",
      "frame-ancestors 'none'",
      "worker-src 'none'",
      "connect-src 'self'",
    ])
      expect(policy).toContain(part);
    expect(policy).not.toContain("unsafe-inline");
    expect(policy).not.toContain("unsafe-eval'".replace("unsafe", "'unsafe"));
  });

  test("a worker that somebody left there gets its last script, and every session ends", async () => {
    const mine = await session();
    const status = async () => (await fetch(`${origin}/v1/status`, { headers: mine })).status;
    expect(await status()).toBe(200);
    const answer = await fetch(`${origin}/sw.js`, { headers: { "service-worker": "script" } });
    expect(await answer.text()).toContain("self.registration.unregister()");
    expect(await status()).toBe(401);
  });
});

describe("a write comes", () => {
  test("only from the console's own page, as JSON: other origins, forms and null are refused", async () => {
    const headers = await session();
    expect((await post("/v1/approvals/show", headers, { id: "00000000" })).status).toBe(409);
    for (const change of [
      { origin: "http://evil.example" },
      { origin: "null" },
      { origin: `http://localhost:${port + 1}` },
      { origin: `http://127.0.0.1:${port}` },
      { origin: `https://localhost:${port}` },
      { "content-type": "text/plain" },
      { "content-type": "application/x-www-form-urlencoded" },
      { "content-type": "application/json; charset=utf-8" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ])
      expect((await post("/v1/approvals/show", { ...headers, ...change }, { id: "00000000" })).status).toBe(
        403,
      );
    const { origin: _, ...withoutOrigin } = headers;
    expect((await post("/v1/approvals/show", withoutOrigin, { id: "00000000" })).status).toBe(403);
    expect((await fetch(`${origin}/v1/status`, { method: "OPTIONS", headers })).status).toBe(403);
  });

  test("only with a session, which no cookie is", async () => {
    for (const authorization of ["", "Bearer", "Bearer x", `Bearer ${"0".repeat(64)}`, "Basic x"])
      expect((await fetch(`${origin}/v1/status`, { headers: { authorization } })).status).toBe(401);
    const { authorization = "" } = await session();
    const secret = authorization.slice("Bearer ".length);
    expect((await fetch(`${origin}/v1/status`, { headers: { cookie: `session=${secret}` } })).status).toBe(
      401,
    );
    expect((await fetch(`${origin}/v1/status?authorization=${secret}`)).status).toBe(401);
    expect((await fetch(`${origin}/v1/status`, { headers: { authorization } })).status).toBe(200);
  });
});

describe("a token", () => {
  test("opens one session, and none the second time", async () => {
    const given = await token();
    expect((await exchange(given)).status).toBe(200);
    expect((await exchange(given)).status).toBe(403);
    expect((await exchange("0".repeat(64))).status).toBe(403);
  });

  test("of two that come with it at once, one opens a session", async () => {
    const given = await token();
    const statuses = (await Promise.all([exchange(given), exchange(given)])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 403]);
  });

  test("is not taken from another page", async () => {
    const given = await token();
    expect((await exchange(given, { ...JSON_HEADERS(), origin: "http://evil.example" })).status).toBe(403);
    expect((await exchange(given)).status).toBe(200);
  });

  test("cannot be made from the console, nor can a run be started or a hook be judged", async () => {
    const headers = await session();
    for (const path of ["console/open", "runs/start", "hooks/judge", "probes/start"])
      expect((await post(`/v1/${path}`, headers, { may_decide: true })).status).toBe(404);
  });
});

test("a session that is ended may nothing, and its stream ends", async () => {
  const headers = await session();
  const stream = await post("/v1/events", headers, { follow: true });
  const { sessions } = JSON.parse(
    (await gateway.run(["console", "sessions", "--json"])).stdout.replace(/^/, '{"sessions":').concat("}"),
  ) as {
    sessions: { id: string }[];
  };
  const id = headers.authorization?.slice(7).split(".")[0] ?? "";
  expect(sessions.map((each) => each.id)).toContain(id);
  expect((await gateway.run(["console", "revoke", id])).stdout).toBe("ended 1 session\n");
  expect((await stream.text()).length).toBeGreaterThan(0);
  expect((await fetch(`${origin}/v1/status`, { headers })).status).toBe(401);
});

test.if(IS_ROOT)("another user of this machine gets nothing", async () => {
  for (const host of ["127.0.0.1", "[::1]"]) {
    const { stdout } = Bun.spawnSync([
      "setpriv",
      "--reuid=65534",
      "--clear-groups",
      "--",
      "curl",
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      "--resolve",
      `localhost:${port}:${host}`,
      `http://localhost:${port}/`,
    ]);
    expect(stdout.toString()).toBe("403");
  }
});

test("the proxy carries nobody to the console, in no spelling", async () => {
  for (const host of [
    "localhost",
    "127.0.0.1",
    "127.1.2.3",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "[::]",
  ]) {
    const via = (args: readonly string[]) =>
      Bun.spawnSync([
        "curl",
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %{http_connect}",
        "-x",
        `http://${gateway.listen}`,
        ...args,
      ]).stdout.toString();
    expect(`${host} ${via([`http://${host}:${port}/`])}`).toBe(`${host} 403 000`);
    expect(`${host} ${via(["-p", `http://${host}:${port}/`])}`).toBe(`${host} 000 403`);
  }
});

test("a port that another program holds is not served, and the daemon says so", async () => {
  const holder = Bun.listen({ hostname: "::1", port: 0, socket: { data() {} } });
  try {
    await using other = await startGatewayProcess({ settings: `console_listen: ${holder.port}\n` });
    const { code, stderr } = await other.run(["console", "--no-open"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${holder.port} of this machine is taken`);
    // Neither of the two addresses is served then.
    await expect(fetch(`http://127.0.0.1:${holder.port}/`)).rejects.toThrow();
  } finally {
    holder.stop(true);
  }
}, 120_000);

test("the port stays the same over a restart, and `off` serves nothing", async () => {
  const before = port;
  expect((await gateway.run(["settings", "set", "console_listen=off"])).code).toBe(0);
  expect((await fetch(`${origin}/`)).status).toBe(404);
  expect((await gateway.run(["console", "--no-open"])).stderr).toContain("it is off");
  expect((await gateway.run(["settings", "set", "console_listen=auto"])).code).toBe(0);
  expect(new URL(await consoleUrl(gateway)).port).toBe(String(before));
});
