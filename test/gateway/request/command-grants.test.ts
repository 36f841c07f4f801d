// "Allow the rest of this command" under attack: by another process, a forked child, a later process
// with the same number, a higher tier, another place, another credential, after its minute, after
// the policy changed. The table by a clock and processes that nobody has to wait for; the
// processes once more for real.

import { describe, expect, test } from "bun:test";
import type { ControlHandlers } from "../../../src/api/handlers.ts";
import { startApprovals } from "../../../src/features/approvals/daemon-part.ts";
import type { DaemonParts } from "../../../src/gateway/daemon-part.ts";
import type { PendingApproval } from "../../../src/gateway/request/broker.ts";
import { CommandGrants } from "../../../src/gateway/request/command-grants.ts";
import type { Gateway } from "../../../src/gateway/request/context.ts";
import { guard } from "../../../src/gateway/request/stages/guard.ts";
import type { AskState } from "../../../src/gateway/request/stages/stage.ts";
import type { Ask } from "../../../src/model/ask.ts";
import type { Classification } from "../../../src/model/classification.ts";
import type { ClientIdentity } from "../../../src/model/entry.ts";
import { eventually } from "../../support/eventually.ts";
import { startGatewayProcess } from "../../support/gateway.ts";
import { madeUpAsk, madeUpOperation } from "../../support/policy/ask.ts";
import { askParts } from "../../support/policy/ask-parts.ts";

const MINUTE_MS = 60_000;
const TEAM = { namespace: "team" };
const NOBODY = { user: "me" };

/** Processes of a system in which the test decides who lives. */
function system() {
  const living = new Map<number, number>([
    [7, 100],
    [8, 101],
  ]);
  const starts = new WeakMap<ClientIdentity, number>();
  const clock = { ms: 0 };
  const client = (pid: number, more: Partial<ClientIdentity> = {}, started = living.get(pid)) => {
    const identity = { user: "me", pid, process: "kubectl", ...more };
    if (started !== undefined) starts.set(identity, started);
    return identity;
  };
  const tell = (identity: { user?: string; pid?: number }, pid: number) => {
    identity.pid = pid;
    starts.set(identity, living.get(pid) ?? 0);
  };
  const grants = new CommandGrants(() => clock.ms, {
    now: (pid) => living.get(pid),
    ofClient: (each) => starts.get(each),
  });
  return { living, clock, client, grants, tell };
}

type System = ReturnType<typeof system>;

function ask(client: ClientIdentity, operation: Partial<Classification> = {}, more: Partial<Ask> = {}): Ask {
  return madeUpAsk({
    operation: madeUpOperation({
      protocol: "kubectl",
      tier: "modify",
      command: "pods patch",
      labels: TEAM,
      ...operation,
    }),
    subject: { client, credential: "c" },
    ...more,
  });
}

const pending = (about: Ask) => ({ id: "appr_00000001", ask: about }) as unknown as PendingApproval;

/** The next ask after a person allowed the rest of the command of process 7, and whether it goes unasked. */
const NEXT: readonly {
  readonly name: string;
  readonly ask: (system: System) => Ask;
  readonly goes: boolean;
}[] = [
  { name: "the same process, the same tier", ask: ({ client }) => ask(client(7)), goes: true },
  {
    name: "another command of it",
    ask: ({ client }) => ask(client(7), { command: "services patch" }),
    goes: true,
  },
  { name: "a lower tier", ask: ({ client }) => ask(client(7), { tier: "observe" }), goes: true },
  { name: "a higher tier", ask: ({ client }) => ask(client(7), { tier: "sensitive" }), goes: false },
  { name: "break-glass", ask: ({ client }) => ask(client(7), { tier: "break-glass" }), goes: false },
  {
    name: "what cannot be classified",
    ask: ({ client }) => ask(client(7), { tier: "unknown" }),
    goes: false,
  },
  { name: "no known command", ask: ({ client }) => ask(client(7), { command: "" }), goes: false },
  {
    name: "several operations in one",
    ask: ({ client }) => ask(client(7), { parts: [madeUpOperation()] as never }),
    goes: false,
  },
  {
    name: "another namespace",
    ask: ({ client }) => ask(client(7), { labels: { namespace: "prod" } }),
    goes: false,
  },
  { name: "no namespace", ask: ({ client }) => ask(client(7), { labels: {} }), goes: false },
  {
    name: "a change that does not name its namespace",
    ask: ({ client }) => ask(client(7), { unnamedScopes: ["namespace"] }),
    goes: false,
  },
  {
    name: "another host",
    ask: ({ client }) => ask(client(7), {}, { target: { name: "other", port: 443 } }),
    goes: false,
  },
  {
    name: "another port",
    ask: ({ client }) => ask(client(7), {}, { target: { name: "h", port: 444 } }),
    goes: false,
  },
  { name: "another protocol", ask: ({ client }) => ask(client(7), { protocol: "aws" }), goes: false },
  { name: "another carrier", ask: ({ client }) => ask(client(7), {}, { carrier: "mcp" }), goes: false },
  {
    name: "another credential",
    ask: ({ client }) => ask(client(7), {}, { subject: { client: client(7), credential: "d" } }),
    goes: false,
  },
  { name: "another process", ask: ({ client }) => ask(client(8)), goes: false },
  {
    name: "a process of a run with the same number",
    ask: ({ client }) => ask(client(7, { run: "r", run_id: "run_1" })),
    goes: false,
  },
  { name: "a process that the system does not tell", ask: () => ask(NOBODY), goes: false },
  {
    name: "a process whose start the system does not tell",
    ask: () => ask({ user: "me", pid: 7, process: "kubectl" }),
    goes: false,
  },
  {
    name: "the process after it ended",
    ask: ({ client, living }) => {
      const of = client(7);
      living.delete(7);
      return ask(of);
    },
    goes: false,
  },
  {
    name: "a later process with its number",
    ask: ({ client, living }) => {
      living.set(7, 300);
      return ask(client(7));
    },
    goes: false,
  },
  {
    name: "a connection of the ended process, under the number of a later one",
    ask: ({ client, living }) => {
      const of = client(7);
      living.set(7, 300);
      return ask(of);
    },
    goes: false,
  },
  {
    name: "the last moment of the minute",
    ask: ({ client, clock }) => {
      clock.ms += MINUTE_MS - 1;
      return ask(client(7));
    },
    goes: true,
  },
  {
    name: "after the minute",
    ask: ({ client, clock }) => {
      clock.ms += MINUTE_MS;
      return ask(client(7));
    },
    goes: false,
  },
];

describe("after the rest of a command was allowed", () => {
  for (const { name, ask: next, goes } of NEXT)
    test(`${name}: ${goes ? "goes" : "is asked about"}`, async () => {
      const world = system();
      const granted = world.grants.add(pending(ask(world.client(7))));
      const about = next(world);
      expect((await world.grants.find(about)) !== undefined).toBe(goes);
      // An ask that waited already goes by the same rules, while the grant and its process are there.
      if (goes) expect(granted.covers(about)).toBe(true);
    });

  const STEP = { tier: "break-glass", command: "cp", step: "into /data" } as const;
  for (const [name, of, pid, goes] of [
    ["the step that it told of", STEP, 7, true],
    ["another step", { ...STEP, step: "into /etc" }, 7, false],
    ["its own like again", { tier: "break-glass", command: "exec" }, 7, false],
    ["what risks less, and is not the step", { tier: "observe", command: "pods get" }, 7, false],
    ["the step as somebody else", { ...STEP, circumstance: "Impersonate-User acts as 'jane'" }, 7, false],
    ["the step in another namespace", { ...STEP, labels: { namespace: "prod" } }, 7, false],
    ["the step of another process", STEP, 8, false],
  ] as const)
    test(`after an ask that tells its next step, ${name}: ${goes ? "goes" : "is asked about"}`, async () => {
      const { client, grants } = system();
      const next = { about: "unpack into /data", steps: ["into /data", "into /"] };
      const first = ask(client(7), { tier: "break-glass", command: "exec", next });
      expect(grants.problemOf(first)).toBeUndefined();
      const granted = grants.add(pending(first));
      const about = ask(client(pid), of);
      expect([await grants.find(about).then((found) => found !== undefined), granted.covers(about)]).toEqual([
        goes,
        goes,
      ]);
    });

  test("a later process with the number of an ended one does not take its waiting requests along", () => {
    const { client, living, grants } = system();
    const old = ask(client(7));
    living.set(7, 300);
    expect(grants.add(pending(ask(client(7)))).covers(old)).toBe(false);
    expect(() => grants.add(pending(old))).toThrow("its process has ended");
  });

  test("a process that is told a moment later goes then", async () => {
    const { client, grants, tell } = system();
    grants.add(pending(ask(client(7))));
    const late = { user: "me" };
    const found = grants.find(ask(late));
    tell(late, 7);
    expect(await found).toBeDefined();
  });

  for (const tier of ["break-glass", "unknown"] as const)
    test(`${tier} never begins it`, () => {
      const { client, grants } = system();
      expect(grants.problemOf(ask(client(7), { tier }))).toBe(`its tier is ${tier}`);
    });
});

describe("a policy that came into force meanwhile counts", () => {
  const POLICY = "kubectl:\n  inspect: [h]\n  default: escalate\n";
  const verdict = { action: "escalate", rule: "kubectl.default", reason: "" } as const;

  const decide = async (change: object, again: () => string | undefined = () => undefined) => {
    await using made = await askParts(POLICY);
    const { client, grants } = system();
    grants.add(pending(ask(client(7))));
    const state = {
      parts: { ...made.parts, commandGrants: grants },
      mode: "enforce",
      judged: { ask: ask(client(7)), verdict: { ...verdict, ...change }, again },
    } as unknown as AskState;
    const refused = await guard.run(state);
    return refused === undefined ? state.decision?.kind : "refused";
  };

  test("as before it goes", async () => {
    expect(await decide({})).toBe("forward");
  });
  test("a deny refuses", async () => {
    expect(await decide({ action: "deny" })).toBe("refused");
  });
  test("a rule for the control plane asks there", async () => {
    expect(await decide({ isCentral: true })).toBeUndefined();
  });
  test("one that came while the process was looked up asks", async () => {
    expect(await decide({}, () => "the policy denies it by now")).toBeUndefined();
  });
});

test("where only the control plane may allow, nobody here begins the rest of the command", async () => {
  await using made = await askParts("kubectl:\n  inspect: [h]\n  default: escalate\n");
  const { client, grants } = system();
  const { broker, grants: lasting } = made.parts;
  const gateway = { broker, grants: lasting, commandGrants: grants } as unknown as Gateway;
  const { handlers } = startApprovals({
    gateway: () => gateway,
    broker,
    events: made.events,
    record: () => undefined,
  } as unknown as DaemonParts) as { handlers: ControlHandlers };
  const held = broker.hold(
    {
      ask: ask(client(7)),
      rule: "r",
      reason: "",
      judgeAgain: () => undefined,
      onceOnly: "only the control plane may allow it",
      isCentral: true,
      heldBytes: 0,
    },
    () => () => {},
  );
  const caller = { kind: "owner" } as never;
  const { approvals } = await handlers.approvals_list({}, caller);
  const id = approvals[0]?.id ?? "";
  expect(approvals[0]?.restable).toBe(false);
  expect(() => handlers.approvals_allow({ id, rest_of_command: true }, caller)).toThrow("control plane");
  expect(await grants.find(ask(client(7)))).toBeUndefined();
  await handlers.approvals_deny({ id }, caller);
  expect((await held).outcome).toBe("denied");
});

/** Asks, is allowed the rest, asks again, leaves a child behind that asks on a connection of its own and on the parent's. */
const PROGRAM = `
import http.client, os, sys, threading, time
port, there = int(sys.argv[1]), sys.argv[2]
def post(connection, path):
    connection.request("POST", "http://" + there + path)
    connection.getresponse().read()
first = http.client.HTTPConnection("127.0.0.1", port)
post(first, "/parent/1")
post(http.client.HTTPConnection("127.0.0.1", port), "/parent/2")
parent = os.getpid()
if os.fork() > 0:
    os._exit(0)
while os.getppid() == parent: time.sleep(0.01)
own = threading.Thread(target=post, args=(http.client.HTTPConnection("127.0.0.1", port), "/child"))
own.start()
post(first, "/inherited")
`;

test.skipIf(Bun.which("python3") === null)(
  "a real process's child is asked about, on its own connection and on the one that its parent left it",
  async () => {
    const arrived: string[] = [];
    await using gateway = await startGatewayProcess({
      policy: "generic:\n  inspect: ['127.0.0.1:*']\n  default: escalate\n",
      settings: "approval_timeout: 5m\n",
    });
    const upstream = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        arrived.push(new URL(request.url).pathname);
        return new Response("done");
      },
    });
    const child = Bun.spawn(["python3", "-c", PROGRAM, String(gateway.port), `127.0.0.1:${upstream.port}`], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      detached: true,
    });
    try {
      const { id } = await gateway.held(({ path, restable }) => path === "/parent/1" && restable === true);
      await gateway.control.call("approvals_allow", { id, rest_of_command: true });
      const waiting = await eventually(
        async () => (await gateway.control.call("approvals_list", {})).approvals.map(({ path }) => path),
        (paths) => paths.includes("/child") && paths.includes("/inherited"),
      );
      expect(waiting.sort()).toEqual(["/child", "/inherited"]);
      expect(arrived).toEqual(["/parent/1", "/parent/2"]);
    } finally {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended.
      }
      await upstream.stop(true);
    }
  },
  110_000,
);
