// Held requests of agents in runs: anyone who decides sees which run asks, what one run was allowed
// is not another's, and rows, status and doctor say the level that a run reaches.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { noSandbox, type Sandbox, startSandbox } from "../support/sandbox.ts";

const LONG_MS = 120_000;
const POLICY = `generic:
  inspect: ["*.seen.example"]
  default: escalate
`;

describe.if(noSandbox() === undefined)("a held request of a run", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({ policy: POLICY });
    await sandbox.serve("a.seen.example");
  }, LONG_MS);

  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
  }, LONG_MS);

  const send = (run: string, path: string, header = "authorization: Bearer one", flags: string[] = []) =>
    sandbox.start([
      "run",
      "--name",
      run,
      ...flags,
      "--",
      "/bin/sh",
      "-c",
      `curl -sS -m 50 -H '${header}' -X POST https://a.seen.example${path}`,
    ]);
  const held = (path: string) =>
    eventually(
      async () =>
        (await sandbox.control.call("approvals_list", {})).approvals.find((each) => each.path === path),
      (approval) => approval !== undefined,
    );

  test(
    "says which run asks, in the list, the details, the events and the rows, with the level that it reaches",
    async () => {
      await using program = send("deployer", "/one");
      const approval = await held("/one");
      expect(approval?.client).toMatchObject({ run: "deployer" });
      expect((await sandbox.iddio(["approval", "list"])).stdout).toMatch(
        /^appr_\S+ +\S+ +\S+ left +deployer +a\.seen/m,
      );
      expect((await sandbox.iddio(["approval", "show", approval?.id ?? ""])).stdout).toMatch(
        /^run +deployer$/m,
      );
      expect((await sandbox.iddio(["events"])).stdout).toMatch(/approval_requested .*client\.run=deployer/);
      expect((await sandbox.iddio(["status"])).stdout).toMatch(/^runs +deployer \(L2\)$/m);
      expect((await sandbox.iddio(["guard", "status"])).stdout).toMatch(/^runs +L2: deployer$/m);
      expect((await sandbox.iddio(["doctor"])).stdout).toContain("deployer in iddio run: L2");
      await sandbox.control.call("approvals_allow", { id: approval?.id ?? "" });
      expect((await program.finished).stdout).toContain("hello from a.seen.example");
      const rows = await sandbox.rowsWhen((all) =>
        all.some(({ fields }) => fields.command === "approval allow"),
      );
      expect(rows.find(({ fields }) => fields.command === "approval allow")?.fields).toMatchObject({
        factor: "none",
        level: "L2",
      });
    },
    LONG_MS,
  );

  test(
    "is let through by a grant of its own run only",
    async () => {
      await using program = send("first", "/grant");
      const approval = await held("/grant");
      const other = send("second", "/grant");
      // Equal to the byte, but another run's: a question of its own.
      const both = await eventually(
        async () => (await sandbox.control.call("approvals_list", {})).approvals,
        (all) => all.filter(({ path }) => path === "/grant").length === 2,
      );
      await sandbox.control.call("approvals_allow", { id: approval?.id ?? "", for_ms: 60_000 });
      expect((await program.finished).stdout).toContain("hello");
      const { grants } = await sandbox.control.call("grants_list", {});
      expect(grants).toMatchObject([{ run: "first" }]);
      expect((await sandbox.iddio(["approval", "grants", "list"])).stdout).toMatch(
        /^grant_\S+ .* first +a\.seen/m,
      );
      await using third = send("third", "/grant");
      await eventually(
        async () => (await sandbox.control.call("approvals_list", {})).approvals,
        (all) => all.filter(({ client }) => client?.run === "second" || client?.run === "third").length === 2,
      );
      for (const { id } of both.filter((each) => each.id !== approval?.id))
        await sandbox.control.call("approvals_deny", { id });
      expect((await other.finished).stdout).not.toContain("hello");
      const last = (await sandbox.control.call("approvals_list", {})).approvals.find(
        ({ client }) => client?.run === "third",
      );
      await sandbox.control.call("approvals_deny", { id: last?.id ?? "" });
      expect((await third.finished).stdout).not.toContain("hello");
    },
    LONG_MS,
  );

  test(
    "of a run that keeps the home directory promises less",
    async () => {
      await using program = send("open", "/home", undefined, ["--keep-home"]);
      const approval = await Promise.race([
        held("/home"),
        program.finished.then((ended) => {
          throw new Error(JSON.stringify(ended));
        }),
      ]);
      expect((await sandbox.iddio(["run", "ls"])).stdout).toMatch(/^open +run_\S+ +shell +L1 /m);
      await sandbox.control.call("approvals_deny", { id: approval?.id ?? "" });
      expect((await program.finished).stdout).not.toContain("hello");
    },
    LONG_MS,
  );
});
