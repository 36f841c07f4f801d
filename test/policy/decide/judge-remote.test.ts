// Command lines that reach another host (ssh, sftp, scp), as hooks judge them: by the `ssh` block,
// with the tiers that the same command has on the wire; hosts that the block does not list are none
// of its business.

import { expect, test } from "bun:test";
import { judgeScript } from "../../../src/policy/decide/judge-script.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import { sshPolicy } from "../../support/ssh/ssh-world.ts";

const parsed = parsePolicy(sshPolicy("prod.example.com"));
if (!("policy" in parsed)) throw new Error("the policy does not load");
const { policy } = parsed;

const CASES: readonly (readonly [line: string, verdict: string | undefined])[] = [
  ["ssh prod.example.com uname -a", "allow observe"],
  ["ssh deploy@prod.example.com 'journalctl -u nginx | tail -50'", "allow observe"],
  ["ssh ssh://deploy@prod.example.com uptime", "allow observe"],
  ["ssh -o BatchMode=yes -p 22 PROD.example.com df -h", "allow observe"],
  ["ssh prod.example.com systemctl restart nginx", "escalate modify"],
  ["ssh prod.example.com -- rm -rf /srv/x", "escalate sensitive"],
  ["ssh -t prod.example.com ls", "escalate sensitive"],
  ["ssh prod.example.com -t ls", "escalate sensitive"],
  ["ssh prod.example.com", "escalate sensitive"],
  ["ssh prod.example.com sudo id", "deny break-glass"],
  ["timeout 5 ssh prod.example.com sudo id", "deny break-glass"],
  ["bash -c 'ssh prod.example.com sudo id'", "deny break-glass"],
  ["echo x | xargs ssh prod.example.com sudo", "deny break-glass"],
  ["ssh -L 1:localhost:1 prod.example.com true", "deny break-glass"],
  ["ssh -NL1:localhost:1 prod.example.com", "deny break-glass"],
  ["ssh -A prod.example.com uptime", "deny break-glass"],
  ['ssh prod.example.com "$CMD"', "escalate unknown"],
  ["ssh -o ProxyCommand='nc other 22' prod.example.com uptime", "escalate unknown"],
  ["ssh -s prod.example.com netconf", "escalate unknown"],
  ["scp a.txt prod.example.com:/srv/a.txt", "escalate modify"],
  ["scp a.txt root@prod.example.com:/etc/cron.d/x", "deny break-glass"],
  ["scp prod.example.com:/var/log/syslog .", "allow observe"],
  ["scp prod.example.com:.ssh/id_ed25519 .", "escalate sensitive"],
  ["sftp -b batch prod.example.com", "escalate unknown"],
  ["ssh -V", undefined],
  ["ssh -G prod.example.com", undefined],
  ["ssh other.example.com sudo reboot", undefined],
  ["scp a.txt other.example.com:/x", undefined],
  ["ls prod.example.com:22", undefined],
];

for (const [line, verdict] of CASES)
  test(line, () => {
    const judged = judgeScript(policy, line);
    expect(judged && `${judged.verdict.action} ${judged.classification.tier}`).toBe(verdict);
    if (judged !== undefined) expect(judged.classification.labels.host).toBe("prod.example.com");
  });
