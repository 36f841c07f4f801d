// Strangers at the control plane: they do not make it keep large bodies, wait for slow ones, or
// answer in another's name.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { FLEET_ENDPOINTS } from "../../src/api/fleet/protocol.ts";
import { signedHeaders } from "../../src/api/fleet/request-signature.ts";
import type { TenantName } from "../../src/server/tenants.ts";
import { ControlPlane, type TestPerson } from "../support/server/control-plane.ts";
import { SimulatedDevice } from "../support/server/simulated-device.ts";
import { openTestDatabase } from "../support/server/test-database.ts";

const LONG = 100_000;
let plane: ControlPlane;
let acme: TenantName;
let viewer: TestPerson;
let device: SimulatedDevice;

beforeAll(async () => {
  plane = await ControlPlane.start(await openTestDatabase(), { domain: "localhost" });
  acme = await plane.tenant("acme");
  viewer = await plane.person(acme, "Vera", ["viewer"]);
  device = await plane.device(acme, viewer.id);
}, LONG);

afterAll(async () => {
  await plane[Symbol.asyncDispose]();
}, LONG);

/** Sends a head that announces a body and nothing of it; gives the answer's first line, or nothing when there is none. */
async function statusOfHead(path: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve("no answer"), 20_000);
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: plane.server.port,
    socket: {
      data: (_socket, data) => resolve(data.toString("latin1").split("\r\n")[0] ?? ""),
      close: () => resolve("closed"),
    },
  });
  const lines = Object.entries({ host: plane.hostOf(acme), ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.end();
  }
}

const LENGTHS: readonly Readonly<Record<string, string>>[] = [
  { "content-length": "3000000" },
  { "transfer-encoding": "chunked" },
];

test("a large body of a stranger is refused before it is read, announced or not", async () => {
  const made = new SimulatedDevice({ url: plane.url, host: plane.hostOf(acme) });
  Object.assign(made, { tenant: acme.id, id: "dev_0123456789abcdef" });
  const { path } = FLEET_ENDPOINTS.audit;
  const claim = { tenant: made.tenant, device: made.id };
  const signed = signedHeaders(claim, made.key, { path, body: "", timeMs: Date.now() });
  for (const length of LENGTHS) {
    expect(await statusOfHead(path, { ...signed, ...length })).toContain("401");
    const token = { authorization: "Bearer idat_0000000000000000_AAAA" };
    expect(await statusOfHead("/api/v1/revisions", { ...token, ...length })).toContain("401");
  }
  // Larger than anything that is taken, and small where the endpoint takes little.
  expect(await statusOfHead(path, { ...signed, "content-length": "12000000" })).toMatch(/401|413/);
  expect(await statusOfHead("/iddio/v1/answers", { "content-length": "20000" })).toContain("413");
});

test("a host that is none is told so", async () => {
  const host = "acme.localhost@other.localhost:1";
  expect(await statusOfHead("/api/v1/me", { host, "content-length": "0" })).toMatch(/ 4\d\d /);
});

test("a known device's large body is read, and a viewer changes and decides nothing", async () => {
  const lines = Array.from({ length: 300 }, (_, at) => JSON.stringify({ at, text: "x".repeat(1000) }));
  expect((await device.sendRows(lines)).status).toBe(200);
  const held = await device.hold();
  const path = `/api/v1/approvals/${device.id}/${held.nonce}/decide`;
  for (const verb of ["allow", "deny"]) {
    const { body } = await plane.api(acme, viewer.token, "POST", path, { verb, digest: held.digest });
    expect(body.code).toBe("not-permitted");
  }
  const policy = `# ${"x".repeat(100_000)}\nkubectl:\n  default: deny\n`;
  const proposed = await plane.api(acme, viewer.token, "POST", "/api/v1/revisions", { policy, note: "n" });
  expect(proposed.body.code).toBe("not-permitted");
});
