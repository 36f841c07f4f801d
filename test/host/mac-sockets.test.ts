// The table of TCP connections of macOS, from bytes laid out as xnu's headers have them: Darwin 19 to 21, Darwin 22 and
// later with longer records and kinds of their own, and one that nobody has seen yet. And the functions of the C
// library that macOS is asked by, where they are the same here.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { findMacSocket, parsePcblist } from "../../src/host/process/mac-sockets.ts";
import { parseOpenFileLimit, resourceLimit } from "../../src/host/process/open-file-limit.ts";
import { macSocketOf } from "../../src/host/process/socket-owner.ts";
import { nameByLibrary } from "../../src/host/process/user-name.ts";

interface Row {
  readonly local: readonly [address: readonly number[], port: number];
  readonly remote: readonly [address: readonly number[], port: number];
  readonly uid: number;
  readonly pid: number;
  readonly state?: number;
}

/** Lengths of the records of one version, and what it lists besides. */
interface Layout {
  readonly name: string;
  readonly generation: number;
  readonly inpcb: number;
  readonly socket: number;
  readonly buffer: number;
  readonly stats: number;
  readonly tcpcb: number;
  readonly extra?: readonly (readonly [kind: number, length: number])[];
}

const LAYOUTS: readonly Layout[] = [
  { name: "Darwin 19 to 21", generation: 24, inpcb: 104, socket: 104, buffer: 32, stats: 64, tcpcb: 208 },
  { name: "Darwin 22 to 25", generation: 24, inpcb: 112, socket: 112, buffer: 32, stats: 64, tcpcb: 212 },
  {
    name: "one that is to come",
    generation: 28,
    inpcb: 131,
    socket: 140,
    buffer: 36,
    stats: 72,
    tcpcb: 260,
    extra: [
      [0x40, 48],
      [0x100, 9],
    ],
  },
];

const pad = (length: number) => Math.ceil(length / 8) * 8;

function record(kind: number, length: number, fill: (view: DataView, bytes: Uint8Array) => void = () => {}) {
  // What is not read is not zero on a real machine either.
  const bytes = new Uint8Array(pad(length)).fill(0xa5);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint32(4, kind, true);
  fill(view, bytes);
  return bytes;
}

function address(bytes: Uint8Array, at: number, from: readonly number[]) {
  bytes.fill(0, at, at + 16);
  bytes.set(from, at + 16 - from.length);
}

function table(rows: readonly Row[], layout: Layout): Uint8Array {
  const parts = [record(rows.length, layout.generation)];
  for (const { local, remote, uid, pid, state = 4 } of rows) {
    parts.push(
      record(0x10, layout.inpcb, (view, bytes) => {
        view.setUint16(16, remote[1], false);
        view.setUint16(18, local[1], false);
        view.setUint8(44, local[0].length === 4 ? 1 : 2);
        address(bytes, 48, remote[0]);
        address(bytes, 64, local[0]);
      }),
      record(0x1, layout.socket, (view) => {
        view.setUint32(64, uid, true);
        view.setInt32(68, pid, true);
      }),
      record(0x2, layout.buffer),
      record(0x4, layout.buffer),
      record(0x8, layout.stats),
      ...(layout.extra ?? []).map(([kind, length]) => record(kind, length)),
      record(0x20, layout.tcpcb, (view) => view.setInt32(36, state, true)),
    );
  }
  parts.push(record(rows.length, layout.generation));
  return Buffer.concat(parts);
}

const V4 = [127, 0, 0, 1];
const V6 = [...Array(15).fill(0), 1];
const MAPPED = [...Array(10).fill(0), 255, 255, ...V4];
const ROWS: readonly Row[] = [
  // Both ends of a connection over loopback are in the table: the client's and the gateway's own.
  { local: [V4, 50_000], remote: [V4, 9443], uid: 501, pid: 700 },
  { local: [V4, 9443], remote: [V4, 50_000], uid: 0, pid: 1 },
  { local: [V6, 50_001], remote: [V6, 9443], uid: 502, pid: 701 },
  { local: [MAPPED, 50_002], remote: [MAPPED, 9443], uid: 503, pid: 702 },
  { local: [V4, 50_003], remote: [V4, 9443], uid: 504, pid: 703, state: 10 },
  { local: [[10, 0, 0, 9], 50_004], remote: [[1, 2, 3, 4], 9443], uid: 505, pid: 704 },
];

for (const layout of LAYOUTS)
  test(`${layout.name}: each connection belongs to the user of its client's end`, () => {
    const sockets = parsePcblist(table(ROWS, layout));
    expect(sockets.length).toBe(ROWS.length);
    const at = (ip: string, port: number, to = "127.0.0.1") =>
      macSocketOf(sockets, { address: ip, port }, { address: to, port: 9443 });
    expect(at("127.0.0.1", 50_000)).toMatchObject({ uid: 501, pid: 700 });
    expect(at("::1", 50_001, "::1")).toMatchObject({ uid: 502, pid: 701 });
    expect(at("127.0.0.1", 50_002)).toMatchObject({ uid: 503, pid: 702 });
    expect(at("::ffff:127.0.0.1", 50_000, "::ffff:127.0.0.1")).toMatchObject({ uid: 501 });
    // One that is over, one between other machines, one that is not there, the wrong family.
    expect(at("127.0.0.1", 50_003)).toBeUndefined();
    expect(at("127.0.0.1", 50_004)).toBeUndefined();
    expect(at("127.0.0.1", 50_009)).toBeUndefined();
    expect(at("::1", 50_000, "::1")).toBeUndefined();
  });

test("two users at one connection are none", () => {
  const [row] = ROWS;
  const sockets = parsePcblist(
    table(row === undefined ? [] : [row, { ...row, uid: 999 }], LAYOUTS[0] as Layout),
  );
  const loopback = Uint8Array.from(V4);
  const ends = [
    { address: loopback, port: 50_000 },
    { address: loopback, port: 9443 },
  ] as const;
  expect(findMacSocket(sockets, ...ends)).toBeUndefined();
});

test("a table that is cut off, damaged or nonsense ends the reading and never throws", () => {
  const whole = table(ROWS, LAYOUTS[0] as Layout);
  for (let length = 0; length <= whole.length; length += 3)
    expect(parsePcblist(whole.subarray(0, length)).length).toBeLessThanOrEqual(ROWS.length);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => parsePcblist(bytes).length < 100));
  const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 20 });
  fc.assert(
    fc.property(damage, (changes) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, value] of changes) bytes[at] = value;
      return parsePcblist(bytes).length <= ROWS.length + 20;
    }),
  );
});

test("getpwuid and getrlimit say what this system says", () => {
  // Not userInfo(): the runtime takes the name from a variable.
  const { stdout } = Bun.spawnSync(["id", "-un"]);
  expect(nameByLibrary(process.getuid?.() ?? 0)).toBe(stdout.toString().trim());
  expect(nameByLibrary(0)).toBe("root");
  expect(nameByLibrary(4_123_456_789)).toBeUndefined();
  // RLIMIT_NOFILE is 7 on Linux, 8 on macOS.
  if (process.platform === "linux")
    expect(resourceLimit(7)).toBe(parseOpenFileLimit(readFileSync("/proc/self/limits", "latin1")));
});
