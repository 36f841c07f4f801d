// One client that does what it can to take everything: the control socket still answers, within its bounds.

import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { allowing } from "../support/faults.ts";
import { startGatewayProcess } from "../support/gateway.ts";
import { connectRaw, connectTls } from "../support/proxy-client.ts";
import { startRawOrigin } from "../support/raw-origin.ts";

test("with every descriptor asked for and no answer coming, control answers within half a second", async () => {
  await using origin = await startRawOrigin(() => {});
  await using gateway = await startGatewayProcess({ policy: allowing([origin.port]), openFiles: 200 });
  const { port, caPem } = origin;
  await gateway.control.call("upstreams_add", { host: "localhost", port, ca_pem: caPem, source: "test" });
  const clients = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const connect =
        i % 2 === 0
          ? connectRaw(gateway.port)
          : connectTls(gateway.port, `localhost:${port}`, { ca: gateway.caPem });
      const client = await Promise.race([connect.catch(() => undefined), Bun.sleep(2_000)]);
      if (client && i % 2 === 1) client.send(`GET /slow HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
      return client;
    }),
  );
  for (const method of ["status", "approvals_list", "mode_get"] as const) {
    const startedMs = performance.now();
    await gateway.control.call(method as "status", {});
    expect(performance.now() - startedMs).toBeLessThan(500);
  }
  expect(readdirSync(`/proc/${gateway.pid}/fd`).length).toBeLessThan(200);
  for (const client of clients) client?.[Symbol.dispose]();
}, 60_000);
