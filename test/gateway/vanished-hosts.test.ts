// An inspect entry that a reload takes away is said where a person looks: in the log, as an event
// and in status, until it is back; and what only moved or was written otherwise is not.

import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { startGatewayProcess } from "../support/gateway.ts";

const policy = (...hosts: readonly string[]) =>
  `generic:\n  inspect:\n${hosts.map((host) => `    - ${host}\n`).join("")}  default: deny\n`;

test("hosts that vanish from inspect are in log, event and status", async () => {
  await using gateway = await startGatewayProcess({
    policy: policy("a.example", "b.example", '"*.c.example"'),
  });
  const path = join(gateway.home, "policy.yaml");
  const events = async () => (await gateway.run(["events"])).stdout;
  const removed = async () => (await gateway.control.call("status", {})).policy_no_longer_inspected;
  const log = () => readFileSync(join(gateway.home, "iddio.log"), "utf8");
  expect(await removed()).toBeUndefined();

  // The watcher of the running daemon sees the change; nobody types anything.
  writeFileSync(path, `${policy('"*.c.example"', "a.example")}# shorter\n`);
  const said = await eventually(removed, (entries) => entries !== undefined);
  expect(said).toEqual([expect.stringContaining("b.example")]);
  expect((await gateway.run(["status"])).stdout).toMatch(/no longer inspected +.*b\.example/);
  expect(await events()).toMatch(/policy_reloaded.*no_longer_inspected.*b\.example/);
  expect(log()).toMatch(/WARN +hosts are no longer inspected: .*b\.example/);
  expect(log()).not.toMatch(/no longer inspected: .*a\.example/);

  const { stdout, stderr } = await gateway.run(["policy", "reload"]);
  expect(stdout + stderr).not.toContain("a.example");
  writeFileSync(path, `${policy("a.example", "b.example", '"*.c.example"')}# as it was\n`);
  await eventually(removed, (entries) => entries === undefined);
}, 120_000);
