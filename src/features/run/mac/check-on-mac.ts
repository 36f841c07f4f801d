// The checks of `iddio run --check` on macOS: sandbox-exec outside, and inside whether the
// profile's refusals hold. Gaps by design are named, each with the setting that closes it.

import type { CheckedSystem } from "../check/check-run.ts";
import { findSandboxExec, MAC_PROGRAMS } from "./sandbox-exec.ts";

const tries = (what: string, command: string) =>
  `if ${command} >/dev/null 2>&1; then echo '${what}: yes'; else echo '${what}: no'; fi >> "$TMPDIR/check"`;

/** Each line tries one thing that must fail. */
const PROBE = [
  // The process outside that started it.
  tries("Signals", "kill -0 $PPID"),
  tries("Files", "touch /private/tmp/iddio-check-$$ && rm -f /private/tmp/iddio-check-$$"),
  tries("Network", "/usr/bin/nc -z -w 1 192.0.2.1 443"),
  tries("Names", "/usr/bin/host -W 1 localhost.example"),
  tries("Start", "/bin/launchctl print system"),
].join("\n");

/** macOS. */
export const MAC: CheckedSystem = {
  level: "L2 (macOS)",
  probe: PROBE,
  helper: async () => [{ what: "sandbox-exec", holds: true, found: findSandboxExec(MAC_PROGRAMS) }],
  proven: ({ secrets }) => [
    { what: "gateway", holds: true, found: "answers on the run's own port" },
    { what: "daemon's port", holds: true, found: "is refused" },
    { what: "secrets", holds: true, found: `${secrets.length} places of secrets are not readable` },
  ],
  probed(text, { strict, keychain }) {
    const isRefused = (name: string) => new RegExp(`^${name}: no$`, "m").test(text);
    return [
      { what: "network", holds: isRefused("Network"), found: "other addresses are refused" },
      { what: "names", holds: isRefused("Names"), found: "are not looked up" },
      { what: "files", holds: isRefused("Files"), found: "outside of its folders are not written" },
      { what: "processes", holds: isRefused("Signals"), found: "outside get no signals" },
      { what: "services", holds: isRefused("Start"), found: "launchd is not reached" },
      {
        what: "certificates",
        holds: true,
        found: strict
          ? "are not verified by the system"
          : "are verified by the system, which fetches what they name ('strict: true' closes it)",
      },
      {
        what: "keychain",
        holds: true,
        found: keychain ? "the login keychain is OPEN ('keychain: true')" : "the login keychain is closed",
      },
    ];
  },
};
