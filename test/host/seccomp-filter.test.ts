// The sandbox's filter on both processors, run by an interpreter of classic BPF as the kernel has
// it: which calls are refused, with which answer, whatever stands in the high half of an argument.
// A jump out of the program fails the test.

import { describe, expect, test } from "bun:test";
import { seccompFilter } from "../../src/host/sandbox/seccomp-filter.ts";
import { type Architecture, architectureOf, type SystemCall } from "../../src/host/sandbox/system-calls.ts";

const ALLOW = "allow";
const KILL = "kill";

/** The filter's answer to one call. */
function answer(program: Uint8Array, number: number, audit: number, args: readonly bigint[] = []): string {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number >>> 0, true);
  data.setUint32(4, audit >>> 0, true);
  for (const [index, value] of args.entries()) data.setBigUint64(16 + index * 8, value, true);
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    if (at * 8 >= program.length) throw new Error(`the program runs past its end at ${at}`);
    const code = view.getUint16(at * 8, true);
    const [yes, no] = [view.getUint8(at * 8 + 2), view.getUint8(at * 8 + 3)];
    const k = view.getUint32(at * 8 + 4, true);
    const jump = (isTrue: boolean) => {
      at += isTrue ? yes : no;
    };
    switch (code) {
      case 0x20:
        if (k % 4 !== 0 || k > 60) throw new Error(`a load from ${k}`);
        accumulator = data.getUint32(k, true);
        break;
      case 0x15:
        jump(accumulator === k);
        break;
      case 0x35:
        jump(accumulator >= k);
        break;
      case 0x45:
        jump((accumulator & k) >>> 0 !== 0);
        break;
      case 0x06:
        if (k === 0x7fff0000) return ALLOW;
        if (k === 0x80000000) return KILL;
        return ERRNO[k & 0xffff] ?? `errno ${k & 0xffff}`;
      default:
        throw new Error(`instruction ${code.toString(16)} at ${at}`);
    }
  }
}

const ERRNO: Readonly<Record<number, string>> = { 1: "EPERM", 38: "ENOSYS", 97: "EAFNOSUPPORT" };
const HIGH = 0xdeadbeef00000000n;

/** A call, its arguments and the answer without namespaces of its own; `nested`: with them, where it differs. */
const CALLS: readonly {
  readonly call: SystemCall;
  readonly args?: readonly bigint[];
  readonly answer: string;
  readonly nested?: string;
}[] = [
  { call: "io_uring_setup", answer: "ENOSYS" },
  { call: "io_uring_enter", answer: "ENOSYS" },
  { call: "io_uring_register", answer: "ENOSYS" },
  { call: "clone3", answer: "ENOSYS", nested: ALLOW },
  { call: "setns", answer: "EPERM", nested: ALLOW },
  { call: "mount", answer: "EPERM", nested: ALLOW },
  { call: "umount2", answer: "EPERM", nested: ALLOW },
  { call: "pivot_root", answer: "EPERM", nested: ALLOW },
  { call: "open_tree", answer: "EPERM", nested: ALLOW },
  { call: "open_by_handle_at", answer: "EPERM" },
  { call: "keyctl", answer: "EPERM" },
  { call: "add_key", answer: "EPERM" },
  { call: "request_key", answer: "EPERM" },
  { call: "bpf", answer: "EPERM" },
  { call: "perf_event_open", answer: "EPERM" },
  { call: "userfaultfd", answer: "EPERM" },
  { call: "kexec_load", answer: "EPERM" },
  { call: "unshare", args: [0x10000000n], answer: "EPERM", nested: ALLOW },
  { call: "unshare", args: [HIGH | 0x10000000n], answer: "EPERM", nested: ALLOW },
  { call: "unshare", args: [0x00020000n], answer: "EPERM", nested: ALLOW },
  { call: "unshare", args: [0x40000000n], answer: "EPERM", nested: ALLOW },
  { call: "unshare", args: [0x80n], answer: "EPERM", nested: ALLOW },
  { call: "unshare", args: [0x400n], answer: ALLOW },
  { call: "clone", args: [0x10000011n], answer: "EPERM", nested: ALLOW },
  { call: "clone", args: [HIGH | 0x10000011n], answer: "EPERM", nested: ALLOW },
  { call: "clone", args: [0x01200011n], answer: ALLOW },
  { call: "clone", args: [0x003d0f00n], answer: ALLOW },
  { call: "ioctl", args: [0n, 0x5412n], answer: "EPERM" },
  { call: "ioctl", args: [0n, HIGH | 0x5412n], answer: "EPERM" },
  { call: "ioctl", args: [0n, 0x541cn], answer: "EPERM" },
  { call: "ioctl", args: [0n, HIGH | 0x541cn], answer: "EPERM" },
  { call: "ioctl", args: [0n, 0x5413n], answer: ALLOW },
  { call: "ioctl", args: [0x5412n, 0x5401n], answer: ALLOW },
  { call: "socket", args: [1n, 1n], answer: ALLOW },
  { call: "socket", args: [2n, 1n], answer: ALLOW },
  { call: "socket", args: [10n, 2n], answer: ALLOW },
  { call: "socket", args: [HIGH | 2n, 1n], answer: ALLOW },
  { call: "socket", args: [16n, 3n, 0n], answer: ALLOW },
  ...[4n, 9n, 12n, 15n, 16n].map((family) => ({
    call: "socket" as const,
    args: [16n, 3n, family],
    answer: "EAFNOSUPPORT",
  })),
  ...[0n, 3n, 17n, 29n, 31n, 38n, 40n, 44n, 45n].map((family) => ({
    call: "socket" as const,
    args: [family, 3n],
    answer: "EAFNOSUPPORT",
  })),
  { call: "socketpair", args: [1n, 1n], answer: ALLOW },
  { call: "socketpair", args: [2n, 1n], answer: "EAFNOSUPPORT" },
];

for (const arch of ["x64", "arm64"])
  describe(arch, () => {
    const architecture = architectureOf(arch) as Architecture;
    const filters = [false, true].map((allowsNamespaces) =>
      seccompFilter(architecture, { allowsNamespaces }),
    );

    test("answers each call as it should, with and without namespaces of its own", () => {
      for (const { call, args, answer: wanted, nested } of CALLS) {
        const number = architecture.calls[call];
        if (number === undefined) throw new Error(`${arch} has no ${call}`);
        const got = filters.map((filter) => answer(filter, number, architecture.audit, args));
        expect([call, args, ...got]).toEqual([call, args, wanted, nested ?? wanted]);
      }
    });

    test("lets every other call through, and ends on each path", () => {
      const named = new Set(Object.values(architecture.calls));
      for (let number = 0; number < 600; number += 1) {
        const got = answer(filters[0] as Uint8Array, number, architecture.audit);
        if (!named.has(number)) expect([number, got]).toEqual([number, ALLOW]);
      }
    });

    test("ends a process that calls by another processor's convention", () => {
      for (const audit of [0, 0x40000003, 0x40000028, 0xc000003e, 0xc00000b7])
        if (audit !== architecture.audit) expect(answer(filters[0] as Uint8Array, 0, audit)).toBe(KILL);
      // x32: the same architecture, numbers with a bit of their own; also -1, which a tracer leaves behind.
      if (arch === "x64")
        for (const number of [0x40000000, 0x40000029, 0x40000200, 0xffffffff])
          expect(answer(filters[0] as Uint8Array, number, architecture.audit)).toBe(KILL);
    });

    test("is short enough for the kernel, and no call is named twice", () => {
      for (const filter of filters) expect(filter.length / 8).toBeLessThan(4096);
      const numbers = Object.values(architecture.calls);
      expect(new Set(numbers).size).toBe(numbers.length);
    });
  });
