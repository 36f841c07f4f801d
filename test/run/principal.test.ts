// Who calls the control socket from inside a run: an agent there has no say, however many processes
// it puts between itself and its bridge, and anyone who cannot be told from it while agents run has
// none either.

import { afterEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { needsPresence } from "../../src/api/method.ts";
import { entryOf } from "../../src/api/methods.ts";
import { serveControl } from "../../src/api/server/server.ts";
import { Events } from "../../src/gateway/request/records/events.ts";
import { type NewRun, Runs } from "../../src/gateway/request/runs/runs.ts";
import { completed } from "../support/control-server.ts";
import { eventually } from "../support/eventually.ts";
import { OPEN_GATE } from "../support/sandbox/open-gate.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LONG_MS = 300_000;
const NEW: NewRun = { name: "claude", profile: "shell", command: "sh", uid: 1, localPorts: [] };
/** Calls a method with node's own client of sockets, and prints the answer. */
const CALL = `
const http = require("node:http");
const request = http.request({ socketPath: process.argv[2], path: process.argv[3], method: process.argv[4] ?? "GET" }, (answer) => answer.pipe(process.stdout));
request.end(process.argv[4] !== "POST" ? undefined : /runs/.test(process.argv[3]) ? '{"run":"x"}' : '{"id":"x"}');
`;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A daemon's socket, its runs, and a shell that is a run's bridge; `below` runs scripts under it. */
async function scene() {
  const directory = await temporaryDirectory();
  cleanups.push(() => directory[Symbol.asyncDispose]());
  const runs = new Runs({
    directory: join(directory.path, "runs"),
    events: new Events(),
    present: new Set(),
    open: async () => ({ close: () => undefined }),
  });
  const socket = join(directory.path, "iddio.sock");
  const server = await serveControl(
    socket,
    completed({ mode_get: () => ({ proxy_mode: "enforce" }), runs_list: () => ({ runs: [] }) }),
    { gate: OPEN_GATE, runOf: (pid) => runs.ofProcess(pid) },
  );
  cleanups.push(() => server.close());
  const program = join(directory.path, "call.js");
  writeFileSync(program, CALL);
  const call = `${process.execPath} ${program} ${socket}`;
  const shell = (script: string) =>
    Bun.spawn(["/bin/sh", "-c", `read go; ${script}`], {
      stdin: "pipe",
      stdout: "pipe",
      env: { ...process.env, BUN_BE_BUN: "1" },
    });
  /** Runs a script below a bridge, or beside it. */
  const below = async (script: string, isBridge = true) => {
    const child = shell(script);
    if (isBridge) {
      const { run, token } = await runs.start(NEW);
      expect(await runs.register(run.id, token, child.pid)).toBe(true);
    }
    child.stdin.write("\n");
    child.stdin.end();
    return new Response(child.stdout).text();
  };
  return { runs, call, below, shell };
}

const linux = test.if(process.platform === "linux");

linux(
  "an agent in a run may neither read nor change nor decide",
  async () => {
    for (const [path, verb] of [
      ["/v1/mode", "GET"],
      ["/v1/runs/stop", "POST"],
      ["/v1/approvals/allow", "POST"],
      ["/v1/approvals/deny", "POST"],
    ]) {
      const { call, below } = await scene();
      const said = await below(`${call} ${path} ${verb}`);
      expect(said, path).toContain("not-permitted");
      expect(said, path).toContain("a caller of the kind 'run'");
      expect(said, path).toContain("outside of the sandbox");
    }
    const { call, below } = await scene();
    // The same shell outside of every run is the owner.
    expect(await below(`${call} /v1/mode`, false)).toContain("enforce");
  },
  LONG_MS,
);

linux(
  "processes in between hide nobody",
  async () => {
    const { call, below } = await scene();
    // A function that starts itself again, forty shells deep.
    const deep = `deep() { if [ "$1" -gt 0 ]; then ( deep $(($1 - 1)); : ); else ${call} /v1/mode; fi; }; deep 40`;
    const said = await below(deep);
    expect(said).toContain("a caller of the kind 'run'");
  },
  LONG_MS,
);

linux(
  "who is outside stays the owner while agents run; who is gone is nobody in particular",
  async () => {
    const { runs, call, below, shell } = await scene();
    const bridge = shell("sleep 60");
    cleanups.push(() => bridge.kill());
    const { run, token } = await runs.start(NEW);
    expect(await runs.register(run.id, token, bridge.pid)).toBe(true);
    expect(await below(`${call} /v1/mode`, false)).toContain("enforce");
    const gone = Bun.spawn(["/bin/true"]);
    await gone.exited;
    expect(await runs.ofProcess(gone.pid)).toBe("unknown");
    expect(await runs.ofProcess(undefined)).toBe("unknown");
    expect(await runs.ofProcess(process.pid)).toBeUndefined();
    expect(await runs.ofProcess(bridge.pid)).toMatchObject({ name: "claude" });
    runs.end(run.id, "ended");
    await eventually(
      () => runs.ofProcess(gone.pid),
      (answer) => answer === undefined,
    );
  },
  LONG_MS,
);

linux("a run is L2; one that sees the home directory is L1, and nobody else has a level", async () => {
  const { runs } = await scene();
  const { run } = await runs.start(NEW);
  const { run: open } = await runs.start({ ...NEW, name: "open", keepsHome: true });
  expect(runs.levelOf({ run: "claude", run_id: run.id })).toBe("L2");
  expect(runs.levelOf({ run: "open", run_id: open.id })).toBe("L1");
  expect(runs.levelOf({ run: "claude" })).toBeUndefined();
  expect(runs.levelOf({ run: "claude", run_id: "run_00000000" })).toBeUndefined();
  expect(runs.levelOf(undefined)).toBeUndefined();
});

test("a run needs a person at its start only where its name is to let more through", () => {
  const before = () =>
    ({ mode: "enforce", isNarrowerSetting: () => true, isNarrowerPolicy: () => true }) as const;
  const input = { name: "ci-1", profile: "ci", command: "sh", local_ports: [] };
  expect(needsPresence(entryOf("runs_start"), before, input)).toBe(false);
  expect(needsPresence(entryOf("runs_start"), before, { ...input, with_presence: false })).toBe(false);
  expect(needsPresence(entryOf("runs_start"), before, { ...input, with_presence: true })).toBe(true);
});
