// kill -9 at full load: what the upstream saw must be in the audit log, and a new daemon
// must start on what the old one left.

import { expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ControlClient } from "../../src/api/client.ts";
import type { Entry } from "../../src/model/entry.ts";
import { builtBinary } from "../support/built-binary.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { testSettings } from "../support/test-settings.ts";
import { connectTls } from "../support/wire/proxy-client.ts";
import { startRawOrigin } from "../support/wire/raw-origin.ts";

const CLIENTS = 16;
const ENOUGH = 400;

test("every write that the upstream received has its intent row, and the next daemon starts", async () => {
  await using directory = await temporaryDirectory();
  const home = directory.path;
  const { promise: busy, resolve: isBusy } = Promise.withResolvers<void>();
  let seen = 0;
  await using origin = await startRawOrigin((socket, received) => {
    if (!received.endsWith("x=1")) return;
    seen += 1;
    if (seen === ENOUGH) isBusy();
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  await writeFile(
    join(home, "policy.yaml"),
    `generic:\n  inspect: ["localhost:${origin.port}"]\n  groups: { w: { tiers: [modify] } }\n  rules: { allow: { groups: [w] } }\n`,
  );
  await writeFile(join(home, "settings.yaml"), testSettings());
  const daemon = spawnDaemon(home);
  const control = new ControlClient(join(home, "iddio.sock"));
  const status = await eventually(
    () => control.call("status", {}).catch(() => undefined),
    (answer) => answer !== undefined,
  );
  const port = Number(status?.proxy_listen.split(":").at(-1));
  await control.call("upstreams_add", {
    host: "localhost",
    port: origin.port,
    ca_pem: origin.caPem,
    source: "test",
  });
  const ca = await readFile(join(home, "ca.crt"), "utf8");

  const load = Array.from({ length: CLIENTS }, async (_, client) => {
    using connection = await connectTls(port, `localhost:${origin.port}`, { ca });
    for (let i = 1; ; i += 1) {
      connection.send(
        `POST /${client}-${i}- HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 3\r\n\r\nx=1`,
      );
      await connection.until("ok", i);
    }
  });
  await busy;
  daemon.kill("SIGKILL");
  await Promise.allSettled(load);
  await daemon.exited;

  const text = await readFile(join(home, "audit.jsonl"), "utf8");
  const rows = text
    .slice(0, text.lastIndexOf("\n"))
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);
  const intents = new Set(rows.filter((row) => row.op === "intent").map((row) => row.fields.path));
  const forwarded = [...origin.text.matchAll(/POST (\/\d+-\d+-) /g)].map((match) => match[1]);
  expect(forwarded.length).toBeGreaterThanOrEqual(ENOUGH);
  expect(forwarded.filter((path) => !intents.has(path))).toEqual([]);

  const next = spawnDaemon(home);
  await eventually(
    () => control.call("status", {}).catch(() => undefined),
    (answer) => answer?.pid === next.pid,
  );
  next.kill("SIGTERM");
  expect(await next.exited).toBe(0);
}, 120_000);

function spawnDaemon(home: string) {
  return Bun.spawn([builtBinary(), "gateway"], {
    env: { PATH: "/usr/bin:/bin", HOME: home, IDDIO_HOME: home },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
}
