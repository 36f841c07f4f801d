// Judges by a manifest or a patch what its Pods take from their node. Looks at member names
// wherever they stand, so that a Pod, a template in a workload, a custom resource and a patch of
// one member are judged alike. Taking the node is break-glass; other violations of the baseline Pod
// Security Standard are sensitive.

import type { Tier } from "../../../model/tier.ts";
import { hostPathTier } from "./host-path.ts";
import { type BodyTree, bodyTextOf, isTreeObject, listOf, MAX_NODES, type TreeObject } from "./tree.ts";

/** A finding about Pods; the reason is a clause that follows "the body". */
export interface PodFinding {
  readonly tier: Extract<Tier, "sensitive" | "break-glass">;
  readonly reason: string;
}

/** Words without which no text can hold a finding; no letter of them may be written as an escape. */
export const TELLING_WORDS =
  /priv|host|capab|procmount|profile|selinux|sysctl|apparmor|seccomp|service-account-token|bootstrap|readonly|aws-auth/i;

/**
 * The strictest finding of several trees; "too much" when there are more values than are looked at. `isPartial`: a patch
 * beside which the object has members that nobody sees here.
 */
export function judgePods(
  trees: readonly BodyTree[],
  isPartial: boolean,
): PodFinding | "too much" | undefined {
  let strictest: PodFinding | undefined;
  const context: Context = { judged: new Set(), isPartial };
  const stack: BodyTree[] = [...trees];
  for (let nodes = 0; stack.length > 0; nodes++) {
    if (nodes > MAX_NODES) return "too much";
    const value = stack.pop();
    if (Array.isArray(value)) {
      for (const item of value as readonly BodyTree[])
        if (typeof item === "object" && item !== null) stack.push(item);
      continue;
    }
    if (!isTreeObject(value)) continue;
    for (const name in value) {
      const member = value[name] ?? null;
      if (member === null) continue;
      const rule = RULES.get(name) ?? RULES.get(name.toLowerCase());
      const finding = rule?.(member, value, context);
      if (finding?.tier === "break-glass") return finding;
      strictest ??= finding;
      if (typeof member === "object") stack.push(member);
    }
  }
  return strictest;
}

interface Context {
  /** The hostPath sources that were judged with their list of volumes. */
  readonly judged: Set<BodyTree>;
  readonly isPartial: boolean;
}

/** Judges one member; `around` is the object that it stands in. */
type Rule = (member: BodyTree, around: TreeObject, context: Context) => PodFinding | undefined;

function takes(reason: string): PodFinding {
  return { tier: "break-glass", reason };
}

function violates(reason: string): PodFinding {
  return { tier: "sensitive", reason };
}

const whenTrue =
  (finding: PodFinding): Rule =>
  (member) =>
    listOf(member).some((value) => value === true) ? finding : undefined;

/** Capabilities with which a process gets out of its container, or into everything beside it. */
const NODE_CAPABILITIES: ReadonlySet<string> = new Set([
  "ALL",
  "BPF",
  "CHECKPOINT_RESTORE",
  "DAC_READ_SEARCH",
  "MAC_ADMIN",
  "MAC_OVERRIDE",
  "PERFMON",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_MODULE",
  "SYS_PTRACE",
  "SYS_RAWIO",
]);

/** Capabilities that the baseline standard lets a Pod add. */
const BASELINE_CAPABILITIES: ReadonlySet<string> = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

const capabilities: Rule = (member) => {
  let found: PodFinding | undefined;
  for (const one of listOf(member))
    for (const added of isTreeObject(one) ? listOf(one.add) : []) {
      const name = bodyTextOf(added).toUpperCase().replace(/^CAP_/, "");
      if (NODE_CAPABILITIES.has(name)) return takes(`adds the capability ${name}`);
      if (!BASELINE_CAPABILITIES.has(name)) found = violates(`adds the capability ${name.slice(0, 40)}`);
    }
  return found;
};

const BASELINE_SYSCTLS: ReadonlySet<string> = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_syncookies",
]);

const sysctls: Rule = (member) => {
  for (const one of listOf(member))
    for (const name of isTreeObject(one) ? listOf(one.name) : [])
      if (!BASELINE_SYSCTLS.has(bodyTextOf(name).replaceAll("/", ".")))
        return violates(`sets the sysctl ${bodyTextOf(name).slice(0, 60)}`);
  return undefined;
};

const BASELINE_SE_LINUX_TYPES: ReadonlySet<string> = new Set([
  "",
  "container_t",
  "container_init_t",
  "container_kvm_t",
  "container_engine_t",
]);

const seLinux: Rule = (member) => {
  const isOwn = listOf(member).some(
    (one) =>
      isTreeObject(one) &&
      (listOf(one.type).some((type) => !BASELINE_SE_LINUX_TYPES.has(bodyTextOf(type))) ||
        [...listOf(one.user), ...listOf(one.role)].some((name) => name !== "")),
  );
  return isOwn ? violates("chooses its SELinux type, user or role") : undefined;
};

const profile: Rule = (member) => {
  const isUnconfined = listOf(member).some(
    (one) => isTreeObject(one) && listOf(one.type).some((type) => /^unconfined$/i.test(bodyTextOf(type))),
  );
  return isUnconfined ? violates("runs unconfined") : undefined;
};

/** AppArmor's profiles stood in annotations before they had a field, seccomp's too. */
const annotations: Rule = (member) => {
  for (const one of listOf(member)) {
    if (!isTreeObject(one)) continue;
    for (const [name, value] of Object.entries(one)) {
      const isAppArmor = name.startsWith("container.apparmor.security.beta.kubernetes.io/");
      if (isAppArmor && !/^(?:runtime\/default$|localhost\/|$)/.test(bodyTextOf(value ?? "")))
        return violates("runs without AppArmor");
      if (name.includes("seccomp.security.alpha.kubernetes.io/") && value === "unconfined")
        return violates("runs without seccomp");
    }
  }
  return undefined;
};

const hostPort: Rule = (member) =>
  listOf(member).some(
    (port) => (typeof port === "number" && port !== 0) || (typeof port === "string" && port !== "0"),
  )
    ? violates("takes a port of the node")
    : undefined;

const procMount: Rule = (member) =>
  listOf(member).some((kind) => kind !== "" && kind !== "Default") ? violates("unmasks /proc") : undefined;

const handlerHost: Rule = (member) =>
  listOf(member).some((one) => isTreeObject(one) && listOf(one.host).some((host) => host !== ""))
    ? violates("probes another host than the Pod")
    : undefined;

/** A volume list with the mounts around it; the member's own rule leaves alone the volumes judged here. */
const volumes: Rule = (member, around, { judged, isPartial }) => {
  let strictest: PodFinding | undefined;
  for (const volume of listOf(member)) {
    if (!isTreeObject(volume)) continue;
    for (const source of listOf(volume.hostPath)) {
      if (!isTreeObject(source)) continue;
      judged.add(source);
      const finding = hostPathTier(source, volume, isPartial ? undefined : around);
      if (finding.tier === "break-glass") return finding;
      strictest ??= finding;
    }
  }
  return strictest;
};

/** Beside no list of volumes, nothing tells how it is mounted. */
const hostPath: Rule = (member, _around, { judged }) =>
  listOf(member).some((one) => isTreeObject(one) && !judged.has(one))
    ? takes("mounts a folder of the node")
    : undefined;

/** A whole mount has its name beside it, and its volume is judged with it; a patch may touch this member alone. */
const volumeMounts: Rule = (member, _around, { isPartial }) =>
  listOf(member).some(
    (one) =>
      isTreeObject(one) &&
      (one.readOnly === false || one.readOnly === null) &&
      (isPartial || one.name === undefined),
  )
    ? violates("makes a mount writable")
    : undefined;

const SERVICE_ACCOUNT_TOKEN = /^(?:kubernetes\.io\/service-account-token|bootstrap\.kubernetes\.io\/token)$/;

const type: Rule = (member) =>
  listOf(member).some((kind) => typeof kind === "string" && SERVICE_ACCOUNT_TOKEN.test(kind))
    ? takes("mints a token")
    : undefined;

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>(
  Object.entries({
    privileged: whenTrue(takes("runs a privileged container")),
    hostPID: whenTrue(takes("sees the node's processes (hostPID)")),
    hostIPC: whenTrue(takes("shares the node's memory (hostIPC)")),
    hostProcess: whenTrue(takes("runs as a process of the Windows node")),
    hostNetwork: whenTrue(violates("shares the node's network")),
    hostPort,
    hostPath,
    volumes,
    capabilities,
    sysctls,
    seLinuxOptions: seLinux,
    seccompProfile: profile,
    appArmorProfile: profile,
    procMount,
    annotations,
    httpGet: handlerHost,
    tcpSocket: handlerHost,
    volumeMounts,
    type,
  }).flatMap(([name, rule]) => [[name, rule] as const, [name.toLowerCase(), rule] as const]),
);
