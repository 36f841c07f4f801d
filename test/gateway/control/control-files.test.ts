// Files that the daemon is told to read: what the command line would refuse, the control socket
// refuses too; and a client certificate that has become a FIFO fails its own requests and nothing
// else.

import { expect, test } from "bun:test";
import { chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority } from "../../support/cluster/authority.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import { connectTls } from "../../support/wire/proxy-client.ts";
import { startRawOrigin } from "../../support/wire/raw-origin.ts";

test("ports, hosts and paths are checked where they are stored", async () => {
  await using gateway = await startGatewayProcess();
  const good = { host: "x.example.com", port: 443, ca_pem: "", source: "manual" };
  for (const [wrong, says] of [
    [{ port: 1e9 }, "is not a port"],
    [{ port: 0 }, "is not a port"],
    [{ port: 1.5 }, "is not a port"],
    [{ host: "a b" }, "is not a host"],
    [{ certificate_path: "relative.pem", key_path: "/etc/passwd" }, "is not an absolute path"],
    [{ certificate_path: "/dev/zero" }, "is not a file"],
    [{ certificate_path: "/nowhere/x" }, "there is no"],
  ] as const) {
    const error = await gateway.control.call("upstreams_add", { ...good, ...wrong }).catch((e: unknown) => e);
    expect(String(error)).toContain(says);
  }
  expect((await gateway.control.call("upstreams_list", {})).upstreams).toEqual([]);
}, 120_000);

/** The proxy's answer to a request of the operator's own overlay, which is lent the client certificate. */
async function lent(gateway: GatewayProcess, port: number): Promise<string> {
  const token = Buffer.from("iddio:token").toString("base64");
  using client = await connectTls(gateway.port, `localhost:${port}`, {
    ca: gateway.caPem,
    fields: `Proxy-Authorization: Basic ${token}\r\n`,
  });
  client.send(`GET /x HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
  return await client.until("\r\n\r\n");
}

test("a client certificate that is not used is in status with the reason, until it is in order", async () => {
  await using origin = await startRawOrigin();
  await using gateway = await startGatewayProcess({
    policy: `generic:\n  inspect: ["localhost:${origin.port}"]\n  default: allow\n`,
  });
  const path = join(gateway.home, "client.pem");
  const { certPem, keyPem } = createAuthority("clients").serverCertificate(["client"]);
  const good = `${certPem}\n${keyPem}`;
  writeFileSync(path, good, { mode: 0o600 });
  await gateway.control.call("upstreams_add", {
    host: "localhost",
    port: origin.port,
    ca_pem: origin.caPem,
    certificate_path: path,
    proxy_token: "token",
    source: "manual",
  });
  const problems = async () => (await gateway.control.call("status", {})).certificate_problems ?? [];
  const replaced = (make: () => unknown) => () => {
    rmSync(path, { force: true });
    make();
  };
  for (const [spoil, why] of [
    [() => chmodSync(path, 0o602), "everybody may write it"],
    [() => rmSync(path), "ENOENT"],
    [replaced(() => Bun.spawnSync(["mkfifo", "-m", "600", path])), "it is not a file"],
    [replaced(() => symlinkSync("/dev/zero", path)), "it is not a file"],
    [replaced(() => writeFileSync(path, Buffer.alloc(2 ** 21, 0x61), { mode: 0o600 })), "larger than 1 MiB"],
  ] as const) {
    spoil();
    const reply = await lent(gateway, origin.port);
    expect([why, reply.split("\r\n")[0], reply.includes(path)]).toEqual([
      why,
      "HTTP/1.1 502 Bad Gateway",
      false,
    ]);
    expect(await problems()).toEqual([expect.stringContaining(why)]);
    expect((await gateway.run(["status"])).stdout).toMatch(/certificates +localhost:\d+: .*/);
  }
  rmSync(path);
  writeFileSync(path, good, { mode: 0o600 });
  const reply = await lent(gateway, origin.port);
  expect([reply.slice(0, 12), await problems()]).toEqual(["HTTP/1.1 200", []]);
}, 120_000);

test("a FIFO in place of a client certificate does not stop the daemon", async () => {
  await using gateway = await startGatewayProcess({
    policy: 'generic:\n  inspect: ["localhost"]\n  default: allow\n',
  });
  const path = join(gateway.home, "client.pem");
  writeFileSync(path, "none", { mode: 0o600 });
  await gateway.control.call("upstreams_add", {
    host: "localhost",
    port: 443,
    ca_pem: "",
    certificate_path: path,
    source: "manual",
  });
  rmSync(path);
  expect(Bun.spawnSync(["mkfifo", path]).success).toBe(true);
  await gateway.run(["classify", "http", "GET", "https://localhost/"]);
  const curl = Bun.spawn(["curl", "-sk", "-m", "5", "-x", `http://${gateway.listen}`, "https://localhost/"], {
    stdout: "ignore",
    stderr: "ignore",
  });
  await curl.exited;
  expect((await gateway.control.call("status", {})).daemon).toBe("up");
}, 120_000);

test("settings.yaml that does not load is in status, with its line", async () => {
  await using gateway = await startGatewayProcess();
  const path = join(gateway.home, "settings.yaml");
  writeFileSync(path, `${readFileSync(path, "utf8")}log_level: loud\n`);
  await gateway.control.call("settings_reload", {}).catch(() => undefined);
  const { stdout } = await gateway.run(["status"]);
  expect(stdout).toMatch(/settings {2,}.*line \d+: 'log_level' must be/);
  writeFileSync(join(gateway.home, "policy.yaml"), "kubectl:\n  inspect: 1\n  default: maybe\n");
  await gateway.control.call("policy_reload", {}).catch(() => undefined);
  const said = (await gateway.run(["status"])).stdout;
  expect(said).toContain("failed to reload");
  expect(said).not.toContain("\\n");
}, 120_000);
