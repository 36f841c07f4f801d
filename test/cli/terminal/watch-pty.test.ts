// The interactive watch as the compiled program runs it, in a real pseudo-terminal against a real
// gateway.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { builtBinary } from "../../support/built-binary.ts";
import { eventually } from "../../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import { type PtyProgram, startPty } from "../../support/pages/pty.ts";
import { connectRaw, type RawClient } from "../../support/wire/proxy-client.ts";

const POLICY = `generic:
  inspect: ["127.0.0.1:*"]
  default: escalate
  groups:
    read:
      tiers: [observe]
  rules:
    allow:
      groups: [read]
`;

let gateway: GatewayProcess;
let upstream: ReturnType<typeof Bun.serve>;
const arrived: string[] = [];

beforeAll(async () => {
  builtBinary();
  gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 60s\n" });
  upstream = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      arrived.push(new URL(request.url).pathname);
      return new Response("done");
    },
  });
}, 120_000);

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream.stop(true);
});

/** A request that will be held; leaving it withdraws it. */
async function ask(path: string, method = "POST", body = ""): Promise<RawClient> {
  const client = await send(path, method, body);
  await gateway.held((approval) => approval.path === path);
  return client;
}

async function send(path: string, method = "POST", body = ""): Promise<RawClient> {
  const client = await connectRaw(gateway.port);
  const host = `127.0.0.1:${upstream.port}`;
  client.send(
    `${method} http://${host}${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer s3cret\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  return client;
}

function watch(size: { columns?: number; rows?: number } = {}): PtyProgram {
  return startPty([builtBinary(), "approval", "watch"], {
    env: { HOME: gateway.home, IDDIO_HOME: gateway.home },
    ...size,
  });
}

/** Once the keys count: the bold answers are drawn only then. */
function settled(program: PtyProgram, path: string): Promise<void> {
  return program.until(
    ({ text }) => text.includes(` ${path}\n`) && program.written.includes(path) && isBold(program),
  );
}

/** Denies with a key. It counts once what it answers has been on the screen for a moment; when that is, nothing says. */
async function denies(program: PtyProgram, client: RawClient): Promise<string> {
  const denied = client.until("403");
  let isDenied = false;
  void denied.then(() => {
    isDenied = true;
  });
  for (let tries = 0; tries < 100 && !isDenied; tries += 1) {
    program.type("d");
    await Promise.race([denied, Bun.sleep(500)]);
  }
  return denied;
}

function isBold({ written, screen }: PtyProgram): boolean {
  if (!/^(?:a allow|space reads)/.test(screen.lines.at(-1) ?? "")) return false;
  return written.lastIndexOf("\x1b[1ma allow") > written.lastIndexOf("\x1b[2ma allow");
}

describe("in a terminal of 80 columns", () => {
  test("one key allows exactly the one request that is shown", async () => {
    using first = await ask("/first", "POST", '{"password":"hunter2","name":"x"}');
    using second = await ask("/second");
    await using program = watch();
    await settled(program, "/first");
    expect(program.screen.isAlternate).toBe(true);
    expect(program.screen.isCursorHidden).toBe(true);
    expect(program.screen.lines[0]).toBe("2 requests wait for approval, this is 1");
    expect(program.screen.text).not.toContain("s3cret");
    program.type(" ");
    await program.until(({ text }) => text.includes('"password":"***"'));
    expect(program.screen.text).not.toContain("hunter2");
    program.type("a");
    await first.until("done");
    await program.until(({ text }) => text.includes("approved POST /first"));
    expect(arrived).toEqual(["/first"]);
    await settled(program, "/second");
    expect(await denies(program, second)).toContain("a person denied");
    await program.until(({ lines }) => lines[0] === "no request waits for approval");
    // The notes tell how requests ended, not that somebody looked at them.
    const notes = program.screen.lines.filter((line) => /^\d\d:\d\d:\d\d /.test(line));
    expect(notes.map((line) => line.slice(10).split(" ").slice(0, 3).join(" "))).toEqual([
      "approved POST /first",
      "denied POST /second",
    ]);
    program.type("q");
    expect(await program.exited).toBe(0);
    expect(program.screen.isAlternate).toBe(false);
    expect(program.screen.isCursorHidden).toBe(false);
    expect(arrived).toEqual(["/first"]);
  });

  test("a reason is typed on the last line and told to the client", async () => {
    using client = await ask("/with-reason");
    await using program = watch();
    await settled(program, "/with-reason");
    program.type("r");
    await program.until(({ lines }) => lines.at(-1)?.startsWith("reason: _") === true);
    program.type("not nox\x7fw\r");
    expect(await client.until("not now")).toContain("a person denied");
  });

  test("one key allows the rest of its command, another says what to do instead", async () => {
    // One process sends both, one after the other.
    const command = Bun.spawn(
      [
        "curl",
        "-s",
        "-x",
        `http://${gateway.listen}`,
        "-X",
        "POST",
        `http://127.0.0.1:${upstream.port}/rest/[1-2]`,
      ],
      { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
    );
    await gateway.held(({ path, restable }) => path === "/rest/1" && restable === true);
    await using program = watch();
    await settled(program, "/rest/1");
    await program.until(({ lines }) => lines.at(-1)?.includes("g rest") === true);
    program.type("g");
    expect(await command.exited).toBe(0);
    expect(arrived.filter((path) => path.startsWith("/rest/"))).toEqual(["/rest/1", "/rest/2"]);
    using client = await ask("/instead");
    await settled(program, "/instead");
    program.type("i");
    await program.until(({ lines }) => lines.at(-1)?.startsWith("do instead: _") === true);
    program.type("open a pull request\r");
    expect(await client.until("pull request")).toContain("a person denied");
  }, 100_000);

  test("a key that is typed while the selection changes answers nothing", async () => {
    using first = await ask("/goes");
    using second = await ask("/stays");
    await using program = watch();
    await settled(program, "/goes");
    // Both in one burst: the second falls on the request that comes next.
    program.type("aa");
    await first.until("done");
    await settled(program, "/stays");
    expect(second.received).toBe("");
    expect(await denies(program, second)).toContain("a person denied");
  });

  test("what is pasted answers nothing", async () => {
    using client = await ask("/pasted");
    await using program = watch();
    await settled(program, "/pasted");
    program.type("\x1b[200~aaaa\rdddd\x1b[201~");
    program.type("r");
    await program.until(({ lines }) => lines.at(-1)?.startsWith("reason: _") === true);
    expect(client.received).toBe("");
    program.type("\x1b");
    await program.until(({ lines }) => lines.at(-1)?.startsWith("a allow") === true);
    program.type("d");
    await client.until("403");
  });

  test("one that is answered elsewhere goes away, and is said", async () => {
    using client = await ask("/elsewhere");
    await using program = watch();
    await settled(program, "/elsewhere");
    await gateway.deny("not you", ({ path }) => path === "/elsewhere");
    await program.until(({ text }) => text.includes("denied POST /elsewhere") && text.includes("not you"));
    await program.until(({ lines }) => lines[0] === "no request waits for approval");
    await client.until("403");
  });

  test("one that comes is shown, with a bell when nothing waited", async () => {
    await using program = watch();
    await program.until(({ lines }) => lines[0] === "no request waits for approval");
    using client = await ask("/comes");
    await program.until(({ text }) => text.includes("/comes"));
    expect(program.screen.bells).toBe(1);
    client.socket.destroy();
    await program.until(({ text }) => text.includes("withdrawn POST /comes"));
  });

  test("a long URL must be paged through before it can be allowed", async () => {
    const path = `/${"0123456789".repeat(200)}/end`;
    using client = await ask(path);
    await using program = watch();
    await program.until(() => program.written.includes("\x1b[1mspace reads on"));
    program.type("a");
    for (let page = 0; page < 4; page += 1) program.type(" ");
    await program.until(({ text }) => text.includes("/end") && isBold(program));
    expect(client.received).toBe("");
    program.type("a");
    await client.until("done");
  });

  test("the size may change", async () => {
    using client = await ask("/resized");
    await using program = watch();
    await settled(program, "/resized");
    program.resize(50, 14);
    await program.until(({ lines }) => lines.at(-1) === "a allow  f 15m  g rest  d deny  r why  i instead");
    program.resize(30, 5);
    await program.until(({ text }) => text.includes("too small"));
    program.resize(100, 30);
    await program.until(({ lines }) => lines.at(-1)?.startsWith("a allow") === true);
    client.socket.destroy();
  });
});

test("two hundred wait: each is answered once, from two terminals at the same time", async () => {
  arrived.length = 0;
  using clients = new DisposableStack();
  const asked = await Promise.all(Array.from({ length: 200 }, (_, index) => send(`/n${index}`)));
  for (const client of asked) clients.use(client);
  await eventually(
    async () => (await gateway.control.call("approvals_list", {})).approvals.length,
    (count) => count === 200,
  );
  await using one = watch();
  await using two = watch({ columns: 100, rows: 40 });
  await one.until(({ lines }) => lines[0] === "200 requests wait for approval, this is 1");
  await two.until(({ lines }) => lines[0] === "200 requests wait for approval, this is 1");
  two.type("G");
  await two.until(({ lines }) => lines[0] === "200 requests wait for approval, this is 200");
  // Both on the same one.
  one.type("G");
  await one.until(({ lines }) => lines[0] === "200 requests wait for approval, this is 200");
  for (const program of [one, two]) await program.until(() => isBold(program));
  one.type("a");
  two.type("a");
  await one.until(({ lines }) => lines[0]?.startsWith("199 requests") === true);
  await two.until(({ lines }) => lines[0]?.startsWith("199 requests") === true);
  await eventually(
    async () => arrived.length,
    (count) => count >= 1,
  );
  expect(arrived.length).toBe(1);
  // The same race for all that are left, by command.
  const ids = (await gateway.control.call("approvals_list", {})).approvals.map(({ id }) => id);
  const answers = await Promise.all(
    [...ids, ...ids].map((id) =>
      gateway.control.call("approvals_allow", { id }).then(
        () => 1,
        () => 0,
      ),
    ),
  );
  expect(answers.reduce((sum: number, each) => sum + each, 0)).toBe(199);
  await Promise.all(asked.map((client) => client.until("done")));
  expect(arrived.length).toBe(200);
  expect(new Set(arrived).size).toBe(200);
}, 120_000);

test("the daemon may go and come back", async () => {
  await using own = await startGatewayProcess({ policy: POLICY });
  await using program = startPty([builtBinary(), "approval", "watch"], {
    env: { HOME: own.home, IDDIO_HOME: own.home },
  });
  await program.until(({ lines }) => lines[0] === "no request waits for approval");
  await own.kill("SIGTERM");
  await program.until(({ lines }) => lines[0] === "the daemon is not running; waiting for it");
  const again = Bun.spawn([builtBinary(), "gateway"], {
    env: { PATH: process.env.PATH ?? "", HOME: own.home, IDDIO_HOME: own.home },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await program.until(({ lines }) => lines[0] === "no request waits for approval");
  again.kill();
  await again.exited;
  program.type("\x03");
  expect(await program.exited).toBe(0);
}, 120_000);

test("a signal gives the terminal back", async () => {
  await using program = watch();
  await program.until(({ isAlternate }) => isAlternate);
  process.kill(program.pid, "SIGTERM");
  expect(await program.exited).toBe(0);
  expect(program.screen.isAlternate).toBe(false);
});

test("without a daemon it says so and changes nothing of the terminal", async () => {
  await using program = startPty([builtBinary(), "approval", "watch"], {
    env: { HOME: "/nowhere", IDDIO_HOME: "/nowhere" },
  });
  expect(await program.exited).toBe(1);
  expect(program.screen.text).toContain("Error: dial unix /nowhere/iddio.sock");
  expect(program.written).not.toContain("\x1b[?1049h");
});

test("a terminal that can only print lines gets lines", async () => {
  await using program = startPty([builtBinary(), "approval", "watch"], {
    env: { HOME: gateway.home, IDDIO_HOME: gateway.home, TERM: "dumb" },
  });
  using client = await ask("/dumb");
  await program.until(({ text }) => text.includes("approval_requested"));
  expect(program.written).not.toContain("\x1b");
  client.socket.destroy();
});
