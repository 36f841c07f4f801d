// The checks of `iddio run --check` on Linux: bubblewrap and AppArmor outside, and inside the
// kernel's own account of a process in the sandbox.

import {
  bubblewrapVersion,
  findBubblewrap,
  isRestrictedByAppArmor,
} from "../../../host/sandbox/bubblewrap.ts";
import type { CheckedSystem, CheckRow } from "./check-run.ts";

/** Prints to a file in the fresh /var/tmp facts that only a process inside can tell. */
const PROBE = [
  "grep -E '^(NoNewPrivs|Seccomp|CapEff|CapBnd):' /proc/self/status > /var/tmp/check",
  "sed -n '3,$s/^ *\\([^:]*\\):.*/Interface: \\1/p' /proc/net/dev >> /var/tmp/check",
  'echo "Processes: $(ls /proc | grep -c "^[0-9]")" >> /var/tmp/check',
  "if unshare -U true 2>/dev/null; then echo 'Namespaces: yes'; else echo 'Namespaces: no'; fi >> /var/tmp/check",
].join("\n");

/** Linux. */
export const LINUX: CheckedSystem = {
  level: "L2",
  probe: PROBE,
  async helper() {
    const path = findBubblewrap();
    const rows: CheckRow[] = [
      { what: "bubblewrap", holds: true, found: `${await bubblewrapVersion(path)} at ${path}` },
    ];
    if (isRestrictedByAppArmor())
      rows.push({
        what: "AppArmor",
        holds: true,
        found: "restricts user namespaces; 'iddio run --setup' allows bubblewrap",
      });
    return rows;
  },
  proven: ({ secrets }) => [
    { what: "network", holds: true, found: "only lo; an unserved port and UDP 443 are refused" },
    { what: "gateway", holds: true, found: "answers the bridge" },
    { what: "secrets", holds: true, found: `${secrets.length} places of secrets are not readable` },
  ],
  probed(text) {
    const value = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(text)?.[1] ?? "unknown";
    const capabilities = [value("CapEff"), value("CapBnd")];
    const interfaces = [...text.matchAll(/^Interface: (\S+)/gm)].map(([, name]) => name);
    return [
      { what: "new privileges", holds: value("NoNewPrivs") === "1", found: "cannot be gained" },
      { what: "system calls", holds: value("Seccomp") === "2", found: "are filtered" },
      {
        what: "capabilities",
        holds: capabilities.every((each) => /^0+$/.test(each)),
        found: capabilities.every((each) => /^0+$/.test(each)) ? "none" : capabilities.join(", "),
      },
      { what: "namespaces", holds: value("Namespaces") === "no", found: "cannot be made" },
      { what: "processes", holds: Number(value("Processes")) < 16, found: "only its own" },
      {
        what: "interfaces",
        holds: interfaces.every((name) => name === "lo"),
        found: interfaces.join(", ") || "none",
      },
    ];
  },
};
