// The filter on system calls that the agent starts with, as a classic BPF program (seccomp(2)),
// made from numbers alone. A call of another processor's convention ends the process; a refused
// call answers as on a kernel without it. A filter cannot read paths or flags behind pointers:
// those are held by mounts and namespaces.

import type { Architecture, SystemCall } from "./system-calls.ts";

/** The parts of the filter that a profile may choose. */
export interface FilterOptions {
  /** Let the program make user namespaces of its own, as browsers do for their own sandbox. */
  readonly allowsNamespaces: boolean;
}

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

// Offsets in struct seccomp_data; the low half of an argument comes first on both processors.
const NUMBER = 0;
const ARCH = 4;
const argument = (index: number) => 16 + index * 8;

const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_EQUAL = 0x35;
const JUMP_SET = 0x45;
const RETURN = 0x06;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NAMESPACES = 0x7e020000;
/** CLONE_NEWTIME; in clone() these bits are the signal to the parent. */
const NEW_TIME = 0x80;

const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;

const ABSENT: readonly SystemCall[] = ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"];

const REFUSED: readonly SystemCall[] = [
  "setns",
  "mount",
  "umount2",
  "pivot_root",
  "chroot",
  "move_mount",
  "open_tree",
  "open_tree_attr",
  "fsopen",
  "fsconfig",
  "fsmount",
  "fspick",
  "mount_setattr",
  "swapon",
  "swapoff",
  "acct",
  "quotactl",
  "quotactl_fd",
  "keyctl",
  "add_key",
  "request_key",
  "bpf",
  "perf_event_open",
  "userfaultfd",
  "open_by_handle_at",
  "name_to_handle_at",
  "fanotify_init",
  "kexec_load",
  "kexec_file_load",
  "init_module",
  "finit_module",
  "delete_module",
  "reboot",
  "syslog",
  "iopl",
  "ioperm",
  "modify_ldt",
  "vhangup",
  "sethostname",
  "setdomainname",
  "settimeofday",
  "clock_settime",
  "lookup_dcookie",
  "nfsservctl",
  "_sysctl",
  "uselib",
  "ustat",
  "sysfs",
  "create_module",
  "get_kernel_syms",
  "query_module",
];

/** Calls that a program with namespaces of its own makes in them. */
const NAMESPACED: ReadonlySet<SystemCall> = new Set([
  "setns",
  "mount",
  "umount2",
  "pivot_root",
  "chroot",
  "move_mount",
  "open_tree",
  "fsopen",
  "fsconfig",
  "fsmount",
  "mount_setattr",
  "sethostname",
]);

interface Instruction {
  readonly code: number;
  readonly k: number;
  readonly yes?: number;
  readonly no?: number;
}

const load = (k: number): Instruction => ({ code: LOAD, k });
const give = (k: number): Instruction => ({ code: RETURN, k });
const skipUnless = (code: number, k: number, no: number): Instruction => ({ code, k, yes: 0, no });

/** The program, as the kernel takes it: eight bytes an instruction, little endian. */
export function seccompFilter(architecture: Architecture, options: FilterOptions): Uint8Array {
  const { calls, audit, foreignFrom } = architecture;
  const program: Instruction[] = [
    load(ARCH),
    { code: JUMP_EQUAL, k: audit, yes: 1, no: 0 },
    give(KILL_PROCESS),
    load(NUMBER),
  ];
  if (foreignFrom !== undefined)
    program.push(skipUnless(JUMP_GREATER_EQUAL, foreignFrom, 1), give(KILL_PROCESS));
  /** Runs `body` for one call; it must end in a return on every way that is refused. The number is loaded again after it. */
  const on = (name: SystemCall, body: readonly Instruction[]) => {
    const number = calls[name];
    if (number === undefined) return;
    program.push(skipUnless(JUMP_EQUAL, number, body.length + 1), ...body, give(ALLOW));
  };
  for (const name of ABSENT) {
    if (name === "clone3" && options.allowsNamespaces) continue;
    on(name, [give(ERRNO | ENOSYS)]);
  }
  for (const name of REFUSED)
    if (!options.allowsNamespaces || !NAMESPACED.has(name)) on(name, [give(ERRNO | EPERM)]);
  if (!options.allowsNamespaces) {
    on("unshare", [load(argument(0)), skipUnless(JUMP_SET, NAMESPACES | NEW_TIME, 1), give(ERRNO | EPERM)]);
    on("clone", [load(argument(0)), skipUnless(JUMP_SET, NAMESPACES, 1), give(ERRNO | EPERM)]);
  }
  // Only the low half counts to the kernel: a filter on all 64 bits is passed by setting a high one.
  on("ioctl", [
    load(argument(1)),
    skipUnless(JUMP_EQUAL, TIOCSTI, 1),
    give(ERRNO | EPERM),
    skipUnless(JUMP_EQUAL, TIOCLINUX, 1),
    give(ERRNO | EPERM),
  ]);
  on("socket", [
    load(argument(0)),
    { code: JUMP_EQUAL, k: AF_UNIX, yes: 6, no: 0 },
    { code: JUMP_EQUAL, k: AF_INET, yes: 5, no: 0 },
    { code: JUMP_EQUAL, k: AF_INET6, yes: 4, no: 0 },
    { code: JUMP_EQUAL, k: AF_NETLINK, yes: 0, no: 2 },
    load(argument(2)),
    // NETLINK_ROUTE: programs list interfaces by it.
    { code: JUMP_EQUAL, k: 0, yes: 1, no: 0 },
    give(ERRNO | EAFNOSUPPORT),
  ]);
  on("socketpair", [
    load(argument(0)),
    { code: JUMP_EQUAL, k: AF_UNIX, yes: 1, no: 0 },
    give(ERRNO | EAFNOSUPPORT),
  ]);
  program.push(give(ALLOW));
  return assemble(program);
}

function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, k, yes = 0, no = 0 }] of program.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, yes);
    view.setUint8(index * 8 + 3, no);
    view.setUint32(index * 8 + 4, k >>> 0, true);
  }
  return bytes;
}
