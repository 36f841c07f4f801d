// The numbers of the system calls that the sandbox's filter names, for both processors that Linux
// releases are built for. From the kernel's arch/x86/entry/syscalls/syscall_64.tbl and
// include/uapi/asm-generic/unistd.h (Linux 6.12); numbers never change. A call that a processor
// does not have is left out.

/** A processor's own numbers. */
export interface Architecture {
  /** AUDIT_ARCH_*, which the kernel puts beside each call. */
  readonly audit: number;
  /** Numbers from here on belong to another calling convention (x32); undefined where there is none. */
  readonly foreignFrom: number | undefined;
  readonly calls: Readonly<Partial<Record<SystemCall, number>>>;
}

/** A system call that the filter names. */
export type SystemCall =
  | "ioctl"
  | "socket"
  | "socketpair"
  | "clone"
  | "clone3"
  | "unshare"
  | "setns"
  | "mount"
  | "umount2"
  | "pivot_root"
  | "chroot"
  | "move_mount"
  | "open_tree"
  | "fsopen"
  | "fsconfig"
  | "fsmount"
  | "fspick"
  | "mount_setattr"
  | "open_tree_attr"
  | "swapon"
  | "swapoff"
  | "acct"
  | "quotactl"
  | "quotactl_fd"
  | "io_uring_setup"
  | "io_uring_enter"
  | "io_uring_register"
  | "keyctl"
  | "add_key"
  | "request_key"
  | "bpf"
  | "perf_event_open"
  | "userfaultfd"
  | "open_by_handle_at"
  | "name_to_handle_at"
  | "fanotify_init"
  | "kexec_load"
  | "kexec_file_load"
  | "init_module"
  | "finit_module"
  | "delete_module"
  | "reboot"
  | "syslog"
  | "iopl"
  | "ioperm"
  | "modify_ldt"
  | "vhangup"
  | "sethostname"
  | "setdomainname"
  | "settimeofday"
  | "clock_settime"
  | "clock_adjtime"
  | "adjtimex"
  | "lookup_dcookie"
  | "nfsservctl"
  | "_sysctl"
  | "uselib"
  | "ustat"
  | "sysfs"
  | "create_module"
  | "get_kernel_syms"
  | "query_module";

const X86_64: Architecture = {
  audit: 0xc000003e,
  foreignFrom: 0x40000000,
  calls: {
    ioctl: 16,
    socket: 41,
    socketpair: 53,
    clone: 56,
    clone3: 435,
    unshare: 272,
    setns: 308,
    mount: 165,
    umount2: 166,
    pivot_root: 155,
    chroot: 161,
    move_mount: 429,
    open_tree: 428,
    fsopen: 430,
    fsconfig: 431,
    fsmount: 432,
    fspick: 433,
    mount_setattr: 442,
    open_tree_attr: 467,
    swapon: 167,
    swapoff: 168,
    acct: 163,
    quotactl: 179,
    quotactl_fd: 443,
    io_uring_setup: 425,
    io_uring_enter: 426,
    io_uring_register: 427,
    keyctl: 250,
    add_key: 248,
    request_key: 249,
    bpf: 321,
    perf_event_open: 298,
    userfaultfd: 323,
    open_by_handle_at: 304,
    name_to_handle_at: 303,
    fanotify_init: 300,
    kexec_load: 246,
    kexec_file_load: 320,
    init_module: 175,
    finit_module: 313,
    delete_module: 176,
    reboot: 169,
    syslog: 103,
    iopl: 172,
    ioperm: 173,
    modify_ldt: 154,
    vhangup: 153,
    sethostname: 170,
    setdomainname: 171,
    settimeofday: 164,
    clock_settime: 227,
    clock_adjtime: 305,
    adjtimex: 159,
    lookup_dcookie: 212,
    nfsservctl: 180,
    _sysctl: 156,
    uselib: 134,
    ustat: 136,
    sysfs: 139,
    create_module: 174,
    get_kernel_syms: 177,
    query_module: 178,
  },
};

const AARCH64: Architecture = {
  audit: 0xc00000b7,
  foreignFrom: undefined,
  calls: {
    ioctl: 29,
    socket: 198,
    socketpair: 199,
    clone: 220,
    clone3: 435,
    unshare: 97,
    setns: 268,
    mount: 40,
    umount2: 39,
    pivot_root: 41,
    chroot: 51,
    move_mount: 429,
    open_tree: 428,
    fsopen: 430,
    fsconfig: 431,
    fsmount: 432,
    fspick: 433,
    mount_setattr: 442,
    open_tree_attr: 467,
    swapon: 224,
    swapoff: 225,
    acct: 89,
    quotactl: 60,
    quotactl_fd: 443,
    io_uring_setup: 425,
    io_uring_enter: 426,
    io_uring_register: 427,
    keyctl: 219,
    add_key: 217,
    request_key: 218,
    bpf: 280,
    perf_event_open: 241,
    userfaultfd: 282,
    open_by_handle_at: 265,
    name_to_handle_at: 264,
    fanotify_init: 262,
    kexec_load: 104,
    kexec_file_load: 294,
    init_module: 105,
    finit_module: 273,
    delete_module: 106,
    reboot: 142,
    syslog: 116,
    vhangup: 58,
    sethostname: 161,
    setdomainname: 162,
    settimeofday: 170,
    clock_settime: 112,
    clock_adjtime: 266,
    adjtimex: 171,
    lookup_dcookie: 18,
    nfsservctl: 42,
  },
};

/** The numbers of a processor as `process.arch` names it; undefined for one that no filter exists for. */
export function architectureOf(arch: string): Architecture | undefined {
  return arch === "x64" ? X86_64 : arch === "arm64" ? AARCH64 : undefined;
}
