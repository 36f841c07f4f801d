// Targets that a run may not reach through the proxy: every spelling of this machine.

import { expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { refusedFromRun } from "../../src/gateway/front/refused-from-run.ts";
import type { Run } from "../../src/gateway/request/runs/runs.ts";

const RUN: Run = {
  id: "run_00000000",
  name: "test",
  profile: "shell",
  command: "sh",
  uid: 1000,
  startedMs: 0,
  localPorts: [5432],
  tokenHash: "",
};

const to = (address: string, port = 443, isRegistered = false) =>
  refusedFromRun(RUN, { host: "name.example", port, addresses: [address] }, () => isRegistered);

const LOCAL = [
  "127.0.0.1",
  "127.1.2.3",
  "0.0.0.0",
  "0.1.2.3",
  "::1",
  "::",
  "169.254.169.254",
  "169.254.1.1",
  "fe80::1",
  "febf::1",
  "224.0.0.1",
  "255.255.255.255",
  "ff02::1",
  "::ffff:127.0.0.1",
  "::127.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b::a9fe:a9fe",
  "fd00:ec2::254",
  "100.100.100.200",
  "198.18.0.1",
];

for (const address of LOCAL)
  test(`refused: ${address}`, () => {
    expect(to(address)).toBeDefined();
    expect(to(address, 443, true)).toBeUndefined();
  });

test("refused: every address of this machine's own", () => {
  const own = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
  expect(own.length).toBeGreaterThan(0);
  for (const address of own) expect([address, to(address)]).not.toEqual([address, undefined]);
});

test("allowed: what is elsewhere, private networks too", () => {
  for (const address of ["1.1.1.1", "203.0.113.7", "10.255.254.253", "2606:4700::1111"])
    expect(to(address)).toBeUndefined();
});

test("one address of a name that is this machine's is enough to refuse", () => {
  const destination = { host: "rebind.example", port: 443, addresses: ["1.1.1.1", "127.0.0.1"] };
  expect(refusedFromRun(RUN, destination, () => false)).toContain("loopback");
});

test("--local-port allows loopback on that port and nothing else", () => {
  expect(to("127.0.0.1", 5432)).toBeUndefined();
  expect(to("127.0.0.1", 5433)).toBe(
    "a run must not connect to this machine's loopback (allow it with --local-port 5433)",
  );
  expect(to("169.254.169.254", 5432)).toBeDefined();
});

test("who is in no run is not concerned", () => {
  expect(
    refusedFromRun(undefined, { host: "x", port: 1, addresses: ["127.0.0.1"] }, () => false),
  ).toBeUndefined();
});
