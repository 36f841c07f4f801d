// Files that the daemon is told to read: what the command line would refuse, the control socket refuses too; and a client
// certificate that has become a FIFO fails its own requests and nothing else.

import { expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startGatewayProcess } from "../support/gateway.ts";

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
}, 60_000);

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
}, 60_000);

test("settings.yaml that does not load is in status, with its line", async () => {
  await using gateway = await startGatewayProcess();
  const path = join(gateway.home, "settings.yaml");
  writeFileSync(path, `${readFileSync(path, "utf8")}log_level: loud\n`);
  await gateway.control.call("settings_reload", {}).catch(() => undefined);
  const { stdout } = await gateway.run(["status"]);
  expect(stdout).toMatch(/settings {2,}.*line \d+: "log_level" must be/);
  writeFileSync(join(gateway.home, "policy.yaml"), "kubectl:\n  inspect: 1\n  default: maybe\n");
  await gateway.control.call("policy_reload", {}).catch(() => undefined);
  const said = (await gateway.run(["status"])).stdout;
  expect(said).toContain("failed to reload");
  expect(said).not.toContain("\\n");
}, 60_000);
