// Hints that lead somewhere: a socket that may not be used is not a daemon that is down, an
// authority that expired is not restored from a backup, a disk that is full is not the policy's
// doing.

import { expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { Authority } from "../../src/ca/authority.ts";
import type { CheckContext } from "../../src/cli/kit/check.ts";
import { checkAuthority } from "../../src/features/doctor/check-authority.ts";
import { unrecorded } from "../../src/gateway/request/decision.ts";
import { PROTOCOLS } from "../../src/model/protocol.ts";
import { renderRefusal } from "../../src/protocols/refusal.ts";
import { ensureStateDirectory } from "../../src/state/files.ts";
import { statePaths } from "../../src/state/paths.ts";
import { builtBinary } from "../support/built-binary.ts";
import { runClient } from "../support/clients.ts";
import { startGatewayProcess } from "../support/gateway.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const NOBODY = "65534";

test("a socket that belongs to somebody else is told as that", async () => {
  await using gateway = await startGatewayProcess();
  const env = { HOME: gateway.home, IDDIO_HOME: gateway.home, PATH: process.env.PATH ?? "" };
  const isRoot = process.getuid?.() === 0;
  // Root may use every socket; anybody else may be kept from an own one.
  if (!isRoot) chmodSync(join(gateway.home, "iddio.sock"), 0);
  const as = isRoot ? ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"] : ["env"];
  for (const args of [["status"], ["approval", "list"], ["events"], ["set-proxy-mode", "off"]]) {
    const { code, stderr } = await runClient("/usr/bin/env", [...as, builtBinary(), ...args], { env });
    expect([args, code, stderr]).toEqual([args, 1, expect.stringContaining("permission denied")]);
    expect(stderr).toContain("hint: it is another user's daemon");
    expect(stderr).not.toContain("not running");
  }
  expect((await gateway.run(["status", "--quiet"])).code).toBe(isRoot ? 0 : 1);
}, 120_000);

test("an authority that expired is made again; nothing is restored from a backup that would expire as well", async () => {
  await using directory = await temporaryDirectory();
  const paths = statePaths({ IDDIO_HOME: join(directory.path, "state") });
  await ensureStateDirectory(paths);
  const { notAfter } = await Authority.open(paths);
  const at = (nowMs: number) => checkAuthority({ paths, nowMs } as CheckContext);
  expect((await at(notAfter.getTime() - 1_000)).verdict).toBe("warn");
  const found = await at(notAfter.getTime() + 1_000);
  expect([found.verdict, found.detail]).toEqual(["fail", expect.stringContaining("expired on")]);
  expect(found.fix).toBe("iddio repair makes a new authority, which clients must then trust");
  expect(found.repairs).toEqual([{ kind: "authority" }]);
});

test("a request that is held back because nothing can be recorded is not told as refused by policy, to no client", () => {
  const { result, retry } = unrecorded("ENOSPC: no space left on device");
  for (const protocol of PROTOCOLS) {
    const reply = renderRefusal(
      protocol,
      {
        outcome: result.outcome,
        tier: "modify",
        command: "x",
        rule: "",
        reason: result.reason ?? "",
        retry,
        status: 403,
      } as never,
      {
        method: "POST",
        host: "x.example",
        port: 443,
        target: "/",
        headers: [],
        body: { kind: "none" },
      } as never,
    );
    const text = new TextDecoder().decode(reply.body) + JSON.stringify(reply.headers);
    expect([protocol, text]).toEqual([protocol, expect.stringContaining("audit log cannot be written")]);
    expect([protocol, text.includes("by policy")]).toEqual([protocol, false]);
  }
});
