// The red table of the `session` guard: what an agent of the same unprivileged user tries in order
// to answer its own request, in the compiled program. The criterion is the upstream: whether the
// held request arrived there.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { findClient } from "../../support/clients.ts";
import { eventually } from "../../support/eventually.ts";
import { type GuardedGateway, guardedGateway } from "../../support/guarded-gateway.ts";

let gateway: GuardedGateway;

beforeAll(async () => {
  gateway = await guardedGateway("");
}, 120_000);

afterAll(() => gateway[Symbol.asyncDispose]());

interface Attempt {
  readonly name: string;
  /** Run in the agent's terminal after its request is held as `$id`. */
  readonly script: string;
  readonly needs?: string;
  /** Names the level when it is not held; docs/guard.md says so. */
  readonly isHeld: boolean;
}

const BY_HAND = `curl -s --unix-socket "$HOME/.iddio/iddio.sock" -X POST -d "{\\"id\\":\\"$id\\"}" http://iddio/v1/approvals/allow`;

const ATTEMPTS: readonly Attempt[] = [
  { name: "the command line", script: "iddio approval allow $id", isHeld: true },
  { name: "the command line with a grant", script: "iddio approval allow $id --for 1h", isHeld: true },
  {
    name: "the command line without a terminal",
    script: "iddio approval allow $id </dev/null >out 2>&1; cat out",
    isHeld: true,
  },
  { name: "the socket by hand", script: BY_HAND, isHeld: true },
  {
    name: "the socket by hand with an invented proof",
    script: BY_HAND.replace("-X POST", "-H 'iddio-proof: totp 000000' -X POST"),
    isHeld: true,
  },
  { name: "setsid", script: "setsid -w iddio approval allow $id", isHeld: true },
  {
    name: "a double fork",
    script:
      "(setsid sh -c 'sleep 0.2; iddio approval allow '$id' >out 2>&1; touch over' &); until [ -e over ]; do sleep 0.05; done; cat out",
    isHeld: true,
  },
  {
    name: "script, from the agent's own shell",
    needs: "script",
    script: `script -qec "iddio approval allow $id" /dev/null`,
    isHeld: true,
  },
  {
    name: "script under setsid, from the agent's own shell",
    needs: "script",
    script: `setsid -w script -qec "iddio approval allow $id" /dev/null`,
    isHeld: true,
  },
  {
    name: "a pseudo-terminal of python, from the agent's own shell",
    needs: "python3",
    script: `python3 -c 'import pty,sys; pty.spawn(["iddio","approval","allow",sys.argv[1]])' $id`,
    isHeld: true,
  },
  { name: "another home", script: "HOME=$(mktemp -d) iddio approval allow $id", isHeld: true },
  {
    name: "another IDDIO_HOME with a link to the socket",
    script:
      "mkdir -p fake; ln -sf ~/.iddio/iddio.sock fake/iddio.sock; IDDIO_HOME=$PWD/fake iddio approval allow $id",
    isHeld: true,
  },
  {
    name: "another sudo, ps and tty first in PATH",
    script:
      "mkdir -p first; for n in sudo ps tty id stty; do printf '#!/bin/sh\\nexit 0\\n' > first/$n; chmod +x first/$n; done; PATH=$PWD/first:$PATH iddio approval allow $id",
    isHeld: true,
  },
  {
    name: "the guard set to off",
    script: "iddio settings set approval_guard=off; iddio approval allow $id",
    isHeld: true,
  },
  {
    name: "the guard set to off on disk",
    script:
      "sed -i '/approval_guard/d' ~/.iddio/settings.yaml; echo 'approval_guard: off' >> ~/.iddio/settings.yaml; sleep 1; iddio approval allow $id",
    isHeld: true,
  },
  {
    name: "the proxy mode",
    script: "iddio set-proxy-mode passthrough; iddio approval allow $id",
    isHeld: true,
  },
  {
    name: "script after a double fork (L0)",
    needs: "script",
    script: `(setsid script -qec "sleep 0.2; iddio approval allow $id; touch over2" /dev/null >out2 2>&1 &); until [ -e over2 ]; do sleep 0.05; done`,
    isHeld: false,
  },
  {
    name: "tmux (L0)",
    needs: "tmux",
    script: `export TMUX_TMPDIR=$HOME; tmux -L t -f /dev/null new-session -d 2>&1; sleep 0.5; tmux -L t send-keys "~/bin/iddio approval allow $id; touch over3" Enter; until [ -e over3 ]; do sleep 0.05; done; tmux -L t kill-server`,
    isHeld: false,
  },
];

describe("session", () => {
  ATTEMPTS.forEach(({ name, script, needs, isHeld }, index) => {
    test(`${isHeld ? "held" : "not held"}: ${name}`, async () => {
      if (needs !== undefined && findClient(needs) === undefined) return;
      const path = `/attempt-${index}`;
      const { text } = await gateway.agent(path, script);
      if (isHeld) expect(gateway.arrived, text).not.toContain(path);
      else
        await eventually(
          async () => gateway.arrived,
          (paths) => paths.includes(path),
        );
    }, 120_000);
  });

  test("a terminal whose sender has ended stays refused, another terminal is let in", async () => {
    const path = "/ended";
    const { text } = await gateway.agent(path, "kill %1; wait; iddio approval allow $id; echo code=$?");
    expect(text).toContain("this terminal has sent requests that were held");
    expect(text).toContain("code=1");
  }, 120_000);

  test("held: a client that hides from the system, answered from its own terminal and from another one", async () => {
    if (findClient("python3") === undefined) return;
    // PR_SET_DUMPABLE: nobody but root sees the descriptors of such a process.
    const hidden = `import ctypes,urllib.request as u
ctypes.CDLL(None).prctl(4,0)
o=u.build_opener(u.ProxyHandler({"http":"http://${gateway.proxy}"}))
o.open(u.Request("http://127.0.0.1:${gateway.upstreamPort}/hidden",method="POST"),data=b"")`;
    await using sender = gateway.terminal(["/usr/bin/python3", "-c", hidden]);
    const id = await gateway.idOf("/hidden");
    const own = await gateway.inTerminal(`iddio approval allow ${id}`);
    expect(own).toMatchObject({ code: 1, text: expect.stringContaining("has ended or hides") });
    expect(gateway.arrived).not.toContain("/hidden");
    expect((await gateway.inTerminal(`iddio approval deny ${id}`)).code).toBe(0);
    await sender.exited;
  }, 120_000);

  test("a person in a terminal of their own answers, and the row says principal, factor and level", async () => {
    const id = await gateway.hold("/person");
    expect(await gateway.inTerminal(`iddio approval allow ${id}`)).toMatchObject({ code: 0 });
    await eventually(
      async () => gateway.arrived,
      (paths) => paths.includes("/person"),
    );
    const rows = JSON.parse((await gateway.iddio(["audit", "show", "--op", "control", "--json"])).text) as {
      fields: Record<string, unknown>;
    }[];
    const row = rows.find(({ fields }) => fields.approval_id === id);
    expect(row?.fields).toMatchObject({
      command: "approval allow",
      principal: "owner",
      factor: "session",
      level: "L0",
    });
  }, 120_000);

  test("without a terminal the message names the way out; denying needs nothing", async () => {
    const id = await gateway.hold("/no-terminal");
    const refused = await gateway.iddio(["approval", "allow", id]);
    expect(refused.code).toBe(1);
    expect(refused.text).toContain("there is no terminal here");
    expect(refused.text).toContain("ssh -t");
    expect(refused.text).toContain("iddio guard enroll passkey");
    expect((await gateway.iddio(["approval", "deny", id])).code).toBe(0);
    expect(gateway.arrived).not.toContain("/no-terminal");
  }, 120_000);
});
