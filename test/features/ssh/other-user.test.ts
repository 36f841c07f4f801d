// A system's daemon is root's, and the keys for a host are those of the user whom it serves: ssh is
// started as that user, also for the question where a name leads. Needs root, as the daemon does.

import { expect, test } from "bun:test";
import { chownSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findSystemTool } from "../../../src/host/process/system-tool.ts";
import { runClient } from "../../support/clients.ts";
import { startSshWorld } from "../../support/ssh/ssh-world.ts";
import { findSshTools } from "../../support/ssh/sshd.ts";

const MINUTES = 10 * 60_000;
const NOBODY = 65_534;

/** Opens a tunnel and carries bytes, until ssh has gone: the client has no right to the daemon's files. */
const CONNECT = `exec 3<>/dev/tcp/127.0.0.1/$1
printf 'CONNECT localhost:%s HTTP/1.1\\r\\nHost: localhost:%s\\r\\n\\r\\n' "$2" "$2" >&3
while IFS= read -r line <&3; do [ "$line" = $'\\r' ] && break; done
cat <&3 &
trap 'kill $! 2>/dev/null' EXIT
cat >&3
`;

const setpriv = findSystemTool("setpriv", process.env);
if (findSshTools() !== undefined && process.getuid?.() === 0 && setpriv !== undefined)
  test(
    "ssh runs with the rights of the daemon's owner, and says why it could not",
    async () => {
      await using world = await startSshWorld({
        env: { IDDIO_OWNER: String(NOBODY) },
        operator: `Match exec "test $(id -u) -ne ${NOBODY}"\n  ProxyCommand false\nMatch all\n`,
      });
      const folder = dirname(world.sshd.operatorConfig);
      chownSync(world.sshd.identity, NOBODY, NOBODY);
      const script = join(folder, "connect.sh");
      writeFileSync(script, CONNECT);
      const ssh = (command: string) =>
        runClient(setpriv, [
          ...[
            "--reuid",
            String(NOBODY),
            "--regid",
            String(NOBODY),
            "--clear-groups",
            "ssh",
            "-F",
            "/dev/null",
          ],
          ...["-o", `ProxyCommand=bash ${script} ${world.gateway.port} ${world.sshd.port}`],
          ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"],
          ...["-p", String(world.sshd.port), "-l", world.sshd.user, "localhost", command],
        ]);
      const { code, stdout, stderr } = await ssh("uname -s");
      expect([code, stdout, stderr]).toEqual([0, "Linux\n", ""]);
      // The log of that user's ssh is read, too.
      writeFileSync(world.sshd.knownHosts, "");
      const unknown = await ssh("uname -s");
      expect([unknown.code, unknown.stderr]).toEqual([255, expect.stringContaining("is not known")]);
      // Root's own connections are not the owner's.
      expect((await world.ssh("uname -s")).code).toBe(255);
    },
    MINUTES,
  );
