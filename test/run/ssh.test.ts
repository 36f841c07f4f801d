// ssh inside a run, as an agent types it: no ProxyCommand and no keys there; iddio's authority is known,
// the policy judges, and the operator's own ssh makes the connection outside.

import { expect, test } from "bun:test";
import { chownSync } from "node:fs";
import type { Entry } from "../../src/model/entry.ts";
import { noSandbox, startSandbox } from "../support/sandbox/sandbox.ts";
import { sshPolicy } from "../support/ssh/ssh-world.ts";
import { findSshTools, startSshd } from "../support/ssh/sshd.ts";

const MINUTES = 10 * 60_000;

if (findSshTools() !== undefined && noSandbox() === undefined)
  test(
    "an agent's ssh is judged, and runs with keys that the agent does not have",
    async () => {
      await using sshd = await startSshd({
        operator: "Host prod.seen.example\n  HostName 127.0.0.1\n",
      });
      if (process.getuid?.() === 0) chownSync(sshd.identity, 65_534, 65_534);
      await using sandbox = await startSandbox({
        policy: sshPolicy(`prod.seen.example:${sshd.port}", "127.0.0.1:${sshd.port}`),
      });
      expect(await sandbox.iddio(["settings", "set", `ssh_config=${sshd.operatorConfig}`])).toMatchObject({
        code: 0,
      });
      expect(await sandbox.iddio(["ssh-config"])).toMatchObject({ code: 0 });
      const ssh = `ssh -o BatchMode=yes -p ${sshd.port} ${sshd.user}@prod.seen.example`;
      const { code, stdout, stderr } = await sandbox.inside(
        `${ssh} uname -s; echo "code $?"; ${ssh} sudo id; echo "code $?"; ls ${sshd.identity}`,
      );
      expect([stdout, stderr]).toEqual([
        "Linux\ncode 0\ncode 126\n",
        expect.stringContaining("iddio refused 'sudo id' by policy"),
      ]);
      expect(code).not.toBe(0);
      const rows = await sandbox.rowsWhen((all) => all.filter(isOfSsh).length >= 2);
      for (const { fields } of rows.filter(isOfSsh))
        expect(fields).toMatchObject({ ssh_user: "tester", client: { run_id: expect.any(String) } });
    },
    MINUTES,
  );

function isOfSsh({ fields }: Entry): boolean {
  return fields.carrier === "ssh";
}
