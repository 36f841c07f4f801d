// The hardened unit under a real systemd, where one can be started in namespaces of its own: the
// daemon comes up behind every restriction, serves its user, is started again when it dies, and
// goes away whole.

import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { builtBinary } from "../support/built-binary.ts";
import { runClient } from "../support/clients.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const SCRIPT = `
ip link set lo up
export HOME=/mnt/home; mkdir "$HOME"
user() { HOME=/nonexistent setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
pid() { systemctl show iddio-daemon -p MainPID --value; }
SUDO_UID=65534 /mnt/iddio install --system >/mnt/said 2>&1; code=$?; echo "install: $code"; [ $code = 0 ] || cat /mnt/said
systemctl show iddio-daemon -p SubState -p Result -p NRestarts
user /mnt/iddio status --quiet; echo "status of the user: $?"
user /mnt/iddio set-proxy-mode observe 2>&1
/mnt/iddio doctor --system | grep ^fail
before=$(pid); kill -9 "$before"
for _ in $(seq 50); do sleep 0.1; user /mnt/iddio status --quiet && echo "up again" && break; done
[ "$before" != "$(pid)" ] && echo "another process"
grep -c Seccomp:.2 "/proc/$(pid)/status"; grep NoNewPrivs "/proc/$(pid)/status"
/mnt/iddio uninstall --system --yes >/dev/null 2>&1; echo "uninstall: $?"
systemctl show iddio-daemon -p LoadState
/mnt/iddio install --no-service >/dev/null 2>&1; echo "without a service: $?"
units=/etc/systemd/system; mkdir "$units/iddio-own.service.d"
cp "$units/iddio-daemon.service.d/alone.conf" "$units/iddio-own.service.d/"
/mnt/iddio install --print-unit >"$units/iddio-own.service"
systemctl daemon-reload; systemctl start iddio-own
for _ in $(seq 50); do sleep 0.1; /mnt/iddio status --quiet && echo "a user's unit runs it too" && break; done
`;

/** A control group for what the test starts, under whichever hierarchy is version 2. */
function controlGroup(): string | undefined {
  const root = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) =>
    existsSync(join(path, "cgroup.procs")),
  );
  if (root === undefined) return undefined;
  const path = join(root, `iddio-test-${process.pid}`);
  try {
    mkdirSync(path);
    return path;
  } catch {
    return undefined;
  }
}

test("the system's unit runs under a real systemd", async () => {
  const group = process.platform === "linux" && process.getuid?.() === 0 ? controlGroup() : undefined;
  if (group === undefined || !existsSync("/lib/systemd/systemd")) {
    process.stderr.write("no systemd can be started here: the unit is not tried under it\n");
    return;
  }
  await using directory = await temporaryDirectory();
  const script = join(directory.path, "script");
  const output = join(directory.path, "output");
  await writeFile(script, SCRIPT);
  const boot = join(PROJECT_ROOT, "test/support/system/boot-systemd.sh");
  const unshare = "unshare --mount --pid --cgroup --uts --ipc --net --fork --kill-child";
  const { stderr } = await runClient(
    "/bin/sh",
    ["-c", `echo $$ >'${group}/cgroup.procs'; exec ${unshare} '${boot}' '${script}' 3>'${output}'`],
    { env: { IDDIO: builtBinary() } },
  );
  removeGroups(group);
  const said = existsSync(output) ? readFileSync(output, "utf8") : "";
  if (!said.includes("install:")) {
    process.stderr.write(`no systemd starts here: ${stderr.trim().split("\n").at(-1)}\n`);
    return;
  }
  expect(said.trim().split("\n")).toEqual([
    "install: 0",
    "Result=success",
    "NRestarts=0",
    "SubState=running",
    "status of the user: 0",
    // Only a person may widen, and there is no terminal here.
    "Error: this needs a person at a terminal, and there is no terminal here",
    "hint: run it in a terminal, over ssh with: ssh -t; or set up a factor: iddio guard enroll passkey",
    "up again",
    "another process",
    "1",
    "NoNewPrivs:\t1",
    "uninstall: 0",
    "LoadState=not-found",
    "without a service: 0",
    "a user's unit runs it too",
  ]);
}, 300_000);

function removeGroups(path: string): void {
  const { stdout } = Bun.spawnSync(["find", path, "-depth", "-type", "d"]);
  for (const group of stdout.toString().trim().split("\n")) {
    try {
      rmdirSync(group);
    } catch {
      // something in it still ends; an empty group costs nothing
    }
  }
}
