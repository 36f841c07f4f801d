// The resolver inside a run, and where a connection to an address goes: tables without a network.

import { expect, test } from "bun:test";
import { hopOf } from "../../src/features/run/bridge/connections.ts";
import { FakeNames } from "../../src/features/run/bridge/fake-names.ts";
import { answerQuery } from "../../src/features/run/bridge/resolver.ts";
import { readDnsQuery } from "../../src/wire/dns/message.ts";

const TYPES = { A: 1, PTR: 12, TXT: 16, AAAA: 28, HTTPS: 65 } as const;

function query(name: string, type: keyof typeof TYPES): Uint8Array {
  const labels = name.split(".").filter((label) => label !== "");
  const encoded = labels.flatMap((label) => [label.length, ...Buffer.from(label, "latin1")]);
  return Uint8Array.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...encoded, 0, 0, TYPES[type], 0, 1]);
}

/** The code of an answer and the data of its one record. */
function asked(names: FakeNames, name: string, type: keyof typeof TYPES) {
  const answer = answerQuery(names, query(name, type)) ?? new Uint8Array(12);
  const code = (answer[3] ?? 0) & 0xf;
  const data = answer[7] === 1 ? [...answer.slice(query(name, type).length + 12)] : undefined;
  return { code, data };
}

test("every host name has an address of its own, the same each time", () => {
  const names = new FakeNames();
  expect(asked(names, "api.example.com", "A")).toEqual({ code: 0, data: [198, 18, 0, 1] });
  expect(asked(names, "API.example.COM", "A")).toEqual({ code: 0, data: [198, 18, 0, 1] });
  expect(asked(names, "other.example.com", "A")).toEqual({ code: 0, data: [198, 18, 0, 2] });
  expect(asked(names, "_srv.x-y.example", "A").code).toBe(0);
});

test("no other type has an answer that would lead a client past the address", () => {
  const names = new FakeNames();
  for (const type of ["AAAA", "HTTPS", "TXT"] as const)
    expect(asked(names, "api.example.com", type)).toEqual({ code: 0, data: undefined });
});

test("localhost is the sandbox itself, and what is no host name does not exist", () => {
  const names = new FakeNames();
  expect(asked(names, "localhost", "A").data).toEqual([127, 0, 0, 1]);
  expect(asked(names, "a.localhost", "A").data).toEqual([127, 0, 0, 1]);
  for (const name of ["10.0.0.1", "a b.example", "sp\x1bam.example", "-x.example", "é.example"])
    expect(asked(names, name, "A")).toEqual({ code: 3, data: undefined });
});

test("an address leads back to its name, an unknown one to none", () => {
  const names = new FakeNames();
  names.addressOf("api.example.com");
  expect(asked(names, "1.0.18.198.in-addr.arpa", "PTR").code).toBe(0);
  expect(asked(names, "9.0.18.198.in-addr.arpa", "PTR").code).toBe(3);
});

test("addresses end and are never given twice", () => {
  const names = new FakeNames();
  const seen = new Set<string>();
  for (let index = 0; index < 131_071; index += 1) seen.add(String(names.addressOf(`h${index}.example`)));
  expect(seen.size).toBe(131_071);
  expect(names.addressOf("one-more.example")).toBeUndefined();
  expect(asked(names, "one-more.example", "A").code).toBe(2);
  expect(names.nameOf("198.19.255.255")).toBe("h131070.example");
});

test("what is no query gets an error or nothing, never an answer", () => {
  const names = new FakeNames();
  const good = query("api.example.com", "A");
  expect(answerQuery(names, good.subarray(0, 11))).toBeUndefined();
  const response = good.slice();
  response[2] = 0x81;
  expect(answerQuery(names, response)).toBeUndefined();
  for (let length = 12; length < good.length; length += 1)
    expect((answerQuery(names, good.subarray(0, length))?.[3] ?? 0) & 0xf).toBe(1);
  const pointer = good.slice();
  pointer[12] = 0xc0;
  expect((answerQuery(names, pointer)?.[3] ?? 0) & 0xf).toBe(1);
  const dotted = query("a", "A");
  dotted[13] = 0x2e;
  expect(readDnsQuery(dotted)).toEqual({ id: 7, code: "no-such-name" });
});

test("a connection goes on under the name that its address was given for, and loopback leads nowhere", () => {
  const names = new FakeNames();
  names.addressOf("api.example.com");
  const routes = { names, proxyPorts: [9443], localPorts: [5432] };
  const hop = (address: string, port: number) => {
    const found = hopOf(routes, address, port);
    return found.kind === "connect" ? found.authority : found.kind;
  };
  const table: Readonly<Record<string, string>> = {
    "::ffff:198.18.0.1 443": "api.example.com:443",
    "198.18.0.1 6443": "api.example.com:6443",
    "198.18.0.2 443": "refuse",
    "198.19.9.9 443": "refuse",
    "1.1.1.1 443": "1.1.1.1:443",
    "2001:db8::1 443": "[2001:db8::1]:443",
    "127.0.0.1 9443": "proxy",
    "::1 9443": "proxy",
    "127.0.0.1 443": "refuse",
    "127.9.9.9 80": "refuse",
    "::1 443": "refuse",
    "127.0.0.1 5432": "127.0.0.1:5432",
    "1.1.1.1 9443": "1.1.1.1:9443",
  };
  for (const [from, to] of Object.entries(table)) {
    const [address = "", port = ""] = from.split(" ");
    expect([from, hop(address, Number(port))]).toEqual([from, to]);
  }
});
