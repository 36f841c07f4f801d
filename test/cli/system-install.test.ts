// `--system`: one daemon for the machine, run by root, used by who installed it. In a mount
// namespace of its own, where /etc and /var/lib are copies on write; where none may be made the
// test says so and passes.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { builtBinary } from "../support/built-binary.ts";
import { runClient } from "../support/clients.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const NOBODY = 65534;

const PREPARE = `
mount -t tmpfs tmpfs "$HOME/disk" || exit 99
for name in etc var/lib; do
  mkdir -p "$HOME/disk/$name/up" "$HOME/disk/$name/work"
  mount -t overlay overlay -o "lowerdir=/$name,upperdir=$HOME/disk/$name/up,workdir=$HOME/disk/$name/work" "/$name" || exit 99
done
mkdir -p /etc/iddio /etc/systemd/system
printf 'proxy_listen: 127.0.0.1:0\\napproval_guard: off\\n' >/etc/iddio/settings.yaml
chmod 700 /etc/iddio && chmod 600 /etc/iddio/settings.yaml
`;

const STEPS = `
as_nobody() { env -u SUDO_UID HOME=/nonexistent setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups "$@"; }
"$IDDIO" install --system >/dev/null 2>&1 || { echo "install: $?"; "$IDDIO" install --system; }
stat -c '%a %u %n' /var/lib/iddio /etc/iddio /var/lib/iddio/iddio.sock /var/lib/iddio/ca.key /var/lib/iddio/ca-bundle.pem
cat /var/lib/iddio/install_mode
"$IDDIO" install --print-unit --system | diff - /etc/systemd/system/iddio-daemon.service && echo same unit
as_nobody "$IDDIO" status --quiet; echo "status of the user: $?"
as_nobody cat /var/lib/iddio/ca-bundle.pem | grep -c BEGIN >/dev/null; echo "bundle: $?"
as_nobody cat /var/lib/iddio/ca.key 2>/dev/null; echo "key: $?"
env -u SUDO_UID HOME=/nonexistent setpriv --reuid 65533 --regid 65533 --clear-groups "$IDDIO" status --quiet; echo "status of another: $?"
"$IDDIO" install 2>&1 | head -1
"$IDDIO" doctor --system | grep fail; echo "doctor: \${PIPESTATUS[0]}"
as_nobody "$IDDIO" install --system 2>&1 | head -1
chmod 755 "$HOME"
printf secret >"$HOME/root-only.pem"; chmod 600 "$HOME/root-only.pem"
add() {
  as_nobody curl -s --unix-socket /var/lib/iddio/iddio.sock http://iddio/v1/upstreams/add -d \
    '{"host":"x.example","port":443,"ca_pem":"","source":"manual","certificate_path":"'"$1"'"}' | grep -o "is not yours to read"
}
add "$HOME/root-only.pem"
mkdir -p "$HOME/nobodys" && ln -s "$HOME/root-only.pem" "$HOME/nobodys/link.pem" && chown -h ${NOBODY} "$HOME/nobodys/link.pem"
add "$HOME/nobodys/link.pem"
"$IDDIO" uninstall --system --yes >/dev/null 2>&1; echo "uninstall: $?"
rm -rf /var/lib/iddio; mkdir -p /etc/iddio
printf 'proxy_listen: 127.0.0.1:0\\napproval_guard: off\\n' >/etc/iddio/settings.yaml; chmod 600 /etc/iddio/settings.yaml
mkdir -p "$HOME/user" && chown ${NOBODY} "$HOME/user"
as_user() { env -u SUDO_UID HOME="$HOME/user" setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups "$@"; }
"$IDDIO" install --system --no-service 2>&1 >/dev/null | grep -e start -e over
as_user "$IDDIO" status 2>&1 | grep hint
as_user "$IDDIO" gateway 2>&1 | head -1
"$IDDIO" gateway 2>/dev/null & gateway=$!
for try in $(seq 100); do as_user "$IDDIO" status --quiet && break; sleep 0.1; done
as_user "$IDDIO" status | grep -c '^socket.*/var/lib/iddio/iddio.sock'
as_user "$IDDIO" shell-init | grep -c 'SSL_CERT_FILE .*/var/lib/iddio/ca-bundle.pem'
kill $gateway; wait $gateway; echo "gateway: $?"
ls -A "$HOME/user" "$HOME/.iddio" 2>/dev/null | grep -v :; echo "nothing of it in a home"
"$IDDIO" uninstall --system --yes >/dev/null 2>&1; echo "uninstall: $?"
ls -A /var/lib/iddio; ls /etc/iddio /etc/systemd/system/iddio-daemon.service 2>&1 | wc -l
`;

test("a system installation serves its user, keeps its secrets, and does not mix with a user's own", async () => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    process.stderr.write("only root can try a system installation\n");
    return;
  }
  await using directory = await temporaryDirectory();
  await Bun.write(join(directory.path, "disk/.keep"), "");
  const { code, stdout, stderr } = await runClient(
    "/usr/bin/unshare",
    ["-m", "bash", "-c", PREPARE + STEPS],
    {
      env: {
        HOME: directory.path,
        IDDIO: builtBinary(),
        FAKE_SYSTEMD: join(directory.path, "systemd"),
        PATH: process.env.PATH ?? "",
        IDDIO_TEST_TOOLS: join(PROJECT_ROOT, "test/support/system"),
        SUDO_UID: String(NOBODY),
      },
    },
  );
  if (code === 99 || stderr.includes("unshare failed")) {
    process.stderr.write("no namespace may be made here: a system installation is not tried\n");
    return;
  }
  expect(stdout.split("\n").filter((line) => line !== "")).toEqual([
    "711 0 /var/lib/iddio",
    "700 0 /etc/iddio",
    `600 ${NOBODY} /var/lib/iddio/iddio.sock`,
    "600 0 /var/lib/iddio/ca.key",
    "644 0 /var/lib/iddio/ca-bundle.pem",
    "system",
    "same unit",
    "status of the user: 0",
    "bundle: 0",
    "key: 1",
    "status of another: 1",
    "Error: iddio is installed for the whole system already (/var/lib/iddio)",
    "doctor: 0",
    "Error: '--system' needs root",
    "is not yours to read",
    "is not yours to read",
    "uninstall: 0",
    "start it:             sudo iddio gateway",
    "look it over:         sudo iddio doctor --system",
    "hint: the daemon is not running; start it with: sudo iddio gateway",
    "Error: iddio is installed for the whole system ('/var/lib/iddio'), where only root can run it",
    "1",
    "1",
    "gateway: 0",
    "nothing of it in a home",
    "uninstall: 0",
    "audit.jsonl",
    "2",
  ]);
}, 300_000);
