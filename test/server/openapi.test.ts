// The OpenAPI document: valid by a validator that is not ours, with every endpoint in it, and good
// enough that a client that is generated from it works.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { generate } from "openapi-typescript-codegen";
import { FLEET_ENDPOINTS } from "../../src/api/fleet/protocol.ts";
import { ENDPOINTS } from "../../src/server/api/endpoints.ts";
import type { TenantName } from "../../src/server/tenants.ts";
import { runClient } from "../support/clients.ts";
import { ControlPlane } from "../support/server/control-plane.ts";
import { openTestDatabase } from "../support/server/test-database.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";

const LONG = 120_000;
let plane: ControlPlane;
let acme: TenantName;

beforeAll(async () => {
  plane = await ControlPlane.start(await openTestDatabase());
  acme = await plane.tenant("acme");
}, LONG);

afterAll(async () => {
  await plane[Symbol.asyncDispose]();
}, LONG);

async function fetched(): Promise<Record<string, unknown>> {
  return (await (await fetch(`${plane.url}/openapi.json`)).json()) as Record<string, unknown>;
}

test("the document is valid OpenAPI 3.1 and has every endpoint", async () => {
  const document = await fetched();
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  expect(result.errors ?? []).toEqual([]);
  expect([result.valid, validator.version]).toEqual([true, "3.1"]);
  const paths = Object.keys(document.paths as object).sort();
  const wanted = new Set([...ENDPOINTS, ...Object.values(FLEET_ENDPOINTS)].map(({ path }) => path));
  expect(paths).toEqual([...wanted].sort());
});

test(
  "a client that is generated from it works",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "iddio-client-"));
    try {
      await generate({
        input: (await fetched()) as never,
        output: folder,
        httpClient: "fetch" as never,
        clientName: "ControlPlaneClient",
        exportSchemas: false,
      });
      // The generated code imports nothing but itself and what runs it.
      await symlink(join(PROJECT_ROOT, "node_modules"), join(folder, "node_modules"));
      const olga = await plane.person(acme, "Olga", ["admin"]);
      const device = await plane.device(acme, olga.id, "laptop");
      const ada = await plane.person(acme, "Ada", ["approver"]);
      const held = await device.hold();
      await writeFile(
        join(folder, "try.ts"),
        `import { ControlPlaneClient } from "./ControlPlaneClient.ts";
const [base, token, device, nonce, digest] = process.argv.slice(2);
const client = new ControlPlaneClient({ BASE: base, TOKEN: token });
const devices = await client.people.getDevices();
const decided = await client.people.postApprovalsDeviceNonceDecide(device, nonce, { verb: "allow", digest });
const refused = await client.people.postPeople({ name: "x" }).catch((error) => error.status);
console.log(JSON.stringify([devices.items.map(({ name }) => name), decided.state, refused]));
`,
      );
      const base = `http://localhost:${plane.server.port}`;
      const ran = await runClient(
        process.execPath,
        ["run", join(folder, "try.ts"), base, ada.token, device.id, held.nonce, held.digest],
        { env: {} },
      );
      expect([ran.code, ran.stderr]).toEqual([0, ""]);
      expect(JSON.parse(ran.stdout)).toEqual([["laptop"], "decided", 403]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  LONG,
);
