// Held requests of agents in runs: anyone who decides sees which run asks, what one run was allowed
// is not another's, and rows, status and doctor say the level that a run reaches.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Entry } from "../../src/model/entry.ts";
import { findClient } from "../support/clients.ts";
import { eventually } from "../support/eventually.ts";
import { noSandbox, type Sandbox, startSandbox } from "../support/sandbox/sandbox.ts";

const LONG_MS = 120_000;
const POLICY = `generic:
  inspect: ["*.seen.example"]
  default: escalate
kubectl:
  inspect: [kube.seen.example]
  default: escalate
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`;

/** Answers kubectl as an API server with ConfigMaps to delete. */
function kubernetes(path: string): Response | undefined {
  if (path === "/api") return Response.json({ kind: "APIVersions", versions: ["v1"] });
  if (path === "/apis") return Response.json({ kind: "APIGroupList", apiVersion: "v1", groups: [] });
  if (path === "/api/v1")
    return Response.json({
      kind: "APIResourceList",
      groupVersion: "v1",
      resources: [
        { name: "configmaps", kind: "ConfigMap", namespaced: true, verbs: ["delete", "get", "list"] },
      ],
    });
  const name = /^\/api\/v1\/namespaces\/team\/configmaps\/([a-z]+)$/.exec(path)?.[1];
  return name === undefined
    ? undefined
    : Response.json({ kind: "ConfigMap", apiVersion: "v1", metadata: { name, namespace: "team" } });
}

describe.if(noSandbox() === undefined)("a held request of a run", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({ policy: POLICY, answers: kubernetes });
    // Nothing runs out while a slow machine gets to it.
    await sandbox.iddio(["settings", "set", "approval_timeout", "5m"]);
    await sandbox.serve("a.seen.example");
    await sandbox.serve("kube.seen.example");
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

  const names = async () =>
    (await sandbox.control.call("approvals_list", {})).approvals.map(({ path }) => path.split("/").at(-1));

  test.skipIf(findClient("kubectl") === undefined)(
    "is answered with the rest of its command: of that process inside, and of no other of the run",
    async () => {
      const kubectl = (objects: string) =>
        `kubectl --token x --server https://kube.seen.example -n team delete configmap ${objects} --wait=false`;
      await using program = sandbox.start([
        "run",
        "--name",
        "cleaner",
        "--",
        "/bin/sh",
        "-c",
        `${kubectl("other")} & ${kubectl("one two three")}; wait`,
      ]);
      const both = await eventually(
        async () => (await sandbox.control.call("approvals_list", {})).approvals,
        (all) => all.filter(({ group }) => group?.startsWith("kubectl:")).length === 2,
      );
      const [first] = both.filter(({ path }) => path.endsWith("/one"));
      expect(new Set(both.map(({ group }) => group)).size).toBe(2);
      const shown = (await sandbox.iddio(["approval", "show", first?.id ?? ""])).stdout;
      expect(shown).toMatch(/^asked by +kubectl \(pid \d+\)/m);
      expect(shown).toContain("bwrap");
      const allowed = await sandbox.iddio(["approval", "allow", first?.id ?? "", "--rest-of-command"]);
      expect(allowed.stdout).toContain("within a minute");
      const isDone = (path: string) => (all: readonly Entry[]) =>
        all.some(
          ({ op, fields }) => op === "mitm" && fields.path?.endsWith(path) && fields.method === "DELETE",
        );
      const rows = await sandbox.rowsWhen(isDone("/three"));
      expect(rows.some((row) => isDone("/two")([row]))).toBe(true);
      expect(await names()).toEqual(["other"]);
      await sandbox.control.call("approvals_deny", {
        id: both.find(({ path }) => path.endsWith("/other"))?.id ?? "",
      });
      const { stdout } = await program.finished;
      for (const name of ["one", "two", "three"]) expect(stdout).toContain(`configmap "${name}" deleted`);
      expect(stdout).not.toContain('"other" deleted');
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
