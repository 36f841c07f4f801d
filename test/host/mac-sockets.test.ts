// The table of TCP connections of macOS, from bytes laid out member by member as xnu's headers of
// Darwin 20 to 24 declare them, and as one that nobody has seen yet might. And the functions of the
// C library that macOS is asked by, where they are the same here.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { parseOpenFileLimit, resourceLimit } from "../../src/host/process/open-file-limit.ts";
import { findMacSocket, parsePcblist } from "../../src/host/process/sockets/mac-sockets.ts";
import { macSocketOf } from "../../src/host/process/sockets/socket-owner.ts";
import { nameByLibrary } from "../../src/host/process/user-name.ts";

interface Row {
  readonly local: readonly [address: readonly number[], port: number];
  readonly remote: readonly [address: readonly number[], port: number];
  readonly uid: number;
  readonly pid: number;
  readonly state?: number;
  /** AF_…; 0 for a connection of a network stack in user space. */
  readonly family?: number;
}

/** Members of a record in their order: the name where it is filled in here, and its bytes. */
type Members = readonly (readonly [name: string, bytes: number])[];

// The widths of the members as xnu's headers declare them. The kernel packs them to four bytes: a member begins at a
// multiple of its width or of four, whichever is less. Offsets are not written down here, but follow.
const GENERATION: Members = [
  ["length", 4],
  ["count", 4],
  ["generation", 8],
  ["socketGeneration", 8],
];
const INPCB: Members = [
  ["length", 4],
  ["kind", 4],
  ["inpp", 8],
  ["fport", 2],
  ["lport", 2],
  ["ppcb", 8],
  ["gencnt", 8],
  ["flags", 4],
  ["flow", 4],
  ["vflag", 1],
  ["ttl", 1],
  ["protocol", 1],
  ["pad", 1],
  ["foreign", 16],
  ["local", 16],
  ["tos", 1],
  ["hlim", 4],
  ["cksum", 4],
  ["ifindex", 2],
  ["hops", 2],
  ["flowhash", 4],
  ["flags2", 4],
];
const SOCKET: Members = [
  ["length", 4],
  ["kind", 4],
  ["so", 8],
  ["type", 2],
  ["options", 4],
  ["linger", 2],
  ["state", 2],
  ["pcb", 8],
  ["protocol", 4],
  ["family", 4],
  ["qlen", 2],
  ["incqlen", 2],
  ["qlimit", 2],
  ["timeo", 2],
  ["error", 2],
  ["pgid", 4],
  ["oobmark", 4],
  ["uid", 4],
  ["lastPid", 4],
  ["ePid", 4],
];
/** Darwin 22 (macOS 13) put these members behind it: a generation, flags, counts and the filters. */
const SOCKET_22: Members = [
  ...SOCKET,
  ["gencnt", 8],
  ["flags", 4],
  ["flags1", 4],
  ["usecount", 4],
  ["retaincnt", 4],
  ["filterFlags", 4],
];
const BUFFER: Members = [
  ["length", 4],
  ["kind", 4],
  ["counts", 16],
  ["lowat", 4],
  ["flags", 2],
  ["timeo", 2],
];
/** Packets and bytes both ways, of four traffic classes. */
const STATS: Members = [
  ["length", 4],
  ["kind", 4],
  ["counts", 128],
];
const TCPCB: Members = [
  ["length", 4],
  ["kind", 4],
  ["segq", 8],
  ["dupacks", 4],
  ["timers", 16],
  ["state", 4],
  ["rest", 164],
];

interface Layout {
  readonly name: string;
  readonly socket: Members;
  readonly inpcb?: Members;
  readonly tcpcb?: Members;
  /** Kinds that nobody has seen yet. */
  readonly extra?: readonly (readonly [kind: number, length: number])[];
  /** The octets of one connection, as readers with fixed sizes have them. */
  readonly perConnection?: number;
}

const LAYOUTS: readonly Layout[] = [
  { name: "Darwin 20 and 21 (macOS 11 and 12)", socket: SOCKET, perConnection: 384 + 208 },
  { name: "Darwin 22 to 24 (macOS 13 to 15)", socket: SOCKET_22, perConnection: 408 + 208 },
  {
    name: "one that is to come",
    socket: [...SOCKET_22, ["more", 35]],
    inpcb: [...INPCB, ["more", 27]],
    tcpcb: [...TCPCB, ["more", 8]],
    extra: [
      [0x40, 48],
      [0x100, 9],
    ],
  },
];

const pad = (length: number) => Math.ceil(length / 8) * 8;

/** Writes one member; a number in the machine's order, ports in the network's. */
type Fill = Readonly<Record<string, number | readonly number[]>>;

function record(members: Members, fill: Fill) {
  const offsets = new Map<string, readonly [at: number, bytes: number]>();
  let length = 0;
  for (const [name, bytes] of members) {
    const step = bytes >= 4 ? 4 : bytes;
    length = Math.ceil(length / step) * step;
    offsets.set(name, [length, bytes]);
    length += bytes;
  }
  // Members that are not read are not zero on a real machine either.
  const octets = Buffer.alloc(pad(length), 0xa5);
  for (const [name, value] of Object.entries<number | readonly number[]>({ ...fill, length })) {
    const [at, bytes] = offsets.get(name) ?? [0, 0];
    if (typeof value !== "number")
      Buffer.from(value).copy(octets.fill(0, at, at + bytes), at + bytes - value.length);
    else if (name.endsWith("port")) octets.writeUInt16BE(value, at);
    else if (bytes === 1) octets.writeUInt8(value, at);
    else octets.writeInt32LE(value | 0, at);
  }
  return octets;
}

function unknown(kind: number, length: number) {
  const octets = Buffer.alloc(pad(length), 0xa5);
  octets.writeUInt32LE(length, 0);
  octets.writeUInt32LE(kind, 4);
  return octets;
}

function connection({ local, remote, uid, pid, state = 4, family }: Row, layout: Layout): Buffer {
  const isV4 = local[0].length === 4;
  return Buffer.concat([
    record(layout.inpcb ?? INPCB, {
      kind: 0x10,
      fport: remote[1],
      lport: local[1],
      vflag: isV4 ? 1 : 2,
      foreign: remote[0],
      local: local[0],
    }),
    record(layout.socket, { kind: 0x1, family: family ?? (isV4 ? 2 : 30), uid, lastPid: pid, ePid: 0 }),
    record(BUFFER, { kind: 0x2 }),
    record(BUFFER, { kind: 0x4 }),
    record(STATS, { kind: 0x8 }),
    ...(layout.extra ?? []).map(([kind, length]) => unknown(kind, length)),
    record(layout.tcpcb ?? TCPCB, { kind: 0x20, state }),
  ]);
}

function table(rows: readonly Row[], layout: Layout): Uint8Array {
  const generation = record(GENERATION, { count: rows.length });
  return Buffer.concat([generation, ...rows.map((row) => connection(row, layout)), generation]);
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

test("the octets of a connection are those that readers with fixed sizes count on", () => {
  for (const layout of LAYOUTS.filter(({ perConnection }) => perConnection !== undefined))
    expect(connection(ROWS[0] as Row, layout).length).toBe(layout.perConnection ?? 0);
});

test("a connection of a network stack in user space has no user, and is not root's", () => {
  for (const layout of LAYOUTS) {
    const row: Row = { local: [V4, 50_010], remote: [V4, 9443], uid: 0, pid: 710, family: 0 };
    const sockets = parsePcblist(table([row, ...ROWS], layout));
    expect(sockets.map(({ localPort }) => localPort)).not.toContain(50_010);
    expect(sockets.length).toBe(ROWS.length);
  }
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
