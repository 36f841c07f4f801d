// Processes as the system tells of them: this very one, one that it starts, and the texts of
// other systems.

import { describe, expect, test } from "bun:test";
import net from "node:net";
import {
  ancestorsOf,
  chain,
  type ProcessRecord,
  parsePs,
  parseStat,
  processOf,
} from "../../src/host/process/process-tree.ts";
import { socketOwner } from "../../src/host/process/sockets/socket-owner.ts";
import { SocketProcesses, type SocketQuestion } from "../../src/host/process/sockets/socket-process.ts";
import { userName } from "../../src/host/process/user-name.ts";

describe("a process", () => {
  test("is known by name, program, user and parent", async () => {
    const found = await processOf(process.pid);
    expect(found).toMatchObject({
      pid: process.pid,
      parent: process.ppid,
      user: userName(process.getuid?.() ?? -1),
    });
    expect(found?.name.length).toBeGreaterThan(0);
    if (process.platform === "linux") expect(found?.program).toBe(process.execPath);
  });

  test("has this one among its ancestors when this one started it", async () => {
    const child = Bun.spawn(["sh", "-c", "sleep 60 & wait"], { stdio: ["ignore", "ignore", "ignore"] });
    const above = await ancestorsOf(child.pid);
    expect(above[0]?.pid).toBe(process.pid);
    expect(above.every(({ pid }) => pid > 1)).toBe(true);
    child.kill("SIGKILL");
  });

  test("that is gone is unknown, and has no ancestors", async () => {
    const child = Bun.spawn(["true"]);
    await child.exited;
    expect(await processOf(child.pid)).toBeUndefined();
    expect(await ancestorsOf(child.pid)).toEqual([]);
  });
});

describe("proc_pid_stat", () => {
  const table: [text: string, name: string | undefined, parent: number | undefined][] = [
    ["12 (bash) S 7 12 12 0", "bash", 7],
    ["12 (a b) S 7 1", "a b", 7],
    ["12 (a) S 9 (b) R 7 1", "a) S 9 (b", 7],
    ["12 () S 7 1", "", 7],
    ["12 bash S 7", undefined, undefined],
    ["", undefined, undefined],
    ["12 (bash) S x", undefined, undefined],
  ];
  for (const [text, name, parent] of table)
    test(JSON.stringify(text), () => {
      const read = parseStat(text);
      expect([read?.name, read?.parent]).toEqual([name, parent]);
    });
});

test("the output of ps on macOS is read, with blanks in paths", () => {
  const text = [
    "    1     0 root             /sbin/launchd",
    "  501     1 leo              /Applications/Visual Studio Code.app/Contents/MacOS/Code Helper",
    "  777   501 leo              -zsh  ",
    "garbage",
  ].join("\n");
  const all = parsePs(text);
  expect(all.get(501)).toEqual({
    pid: 501,
    parent: 1,
    name: "Code Helper",
    program: "/Applications/Visual Studio Code.app/Contents/MacOS/Code Helper",
    user: "leo",
  });
  expect(all.get(777)).toEqual({ pid: 777, parent: 501, name: "-zsh", user: "leo" });
  expect(chain(777, (pid) => all.get(pid)).map(({ name }) => name)).toEqual(["Code Helper"]);
});

test("a chain of parents ends at a loop and at a length", () => {
  const record = (pid: number, parent: number): ProcessRecord => ({ pid, parent, name: String(pid) });
  const loop = new Map([record(2, 3), record(3, 4), record(4, 3)].map((each) => [each.pid, each]));
  expect(chain(2, (pid) => loop.get(pid)).map(({ pid }) => pid)).toEqual([3, 4]);
  expect(chain(2, (pid) => record(pid, pid + 1))).toHaveLength(16);
});

describe("the process behind a socket", () => {
  test("is found for a child of this one", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    const connected = new Promise<net.Socket>((resolve) => server.once("connection", resolve));
    const child = Bun.spawn(["bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${port}; read -u 3 line`], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    const socket = await connected;
    const client = { address: "127.0.0.1", port: socket.remotePort ?? 0 };
    const at = { address: "127.0.0.1", port };
    const owner = socketOwner(client, at);
    const processes = new SocketProcesses();
    const inode = owner?.inode === undefined ? {} : { inode: owner.inode };
    expect(await processes.find({ client, server: at, ...inode }).pid).toBe(child.pid);
    processes.close();
    child.kill();
    socket.destroy();
    server.close();
  });

  const question: SocketQuestion = {
    client: { address: "127.0.0.1", port: 1 },
    server: { address: "127.0.0.1", port: 2 },
    inode: 3,
  };

  test("stays unknown when nobody holds it, when it is forgotten, and when looking fails", async () => {
    const real = new SocketProcesses();
    expect(await real.find(question).pid).toBeUndefined();
    const never = new SocketProcesses(() => new Promise(() => {}));
    const pending = never.find(question);
    pending.forget();
    expect(await pending.pid).toBeUndefined();
    const failing = new SocketProcesses(() => Promise.reject(new Error("no /proc")));
    expect(await failing.find(question).pid).toBeUndefined();
    const closed = never.find({ ...question });
    never.close();
    expect(await closed.pid).toBeUndefined();
  });

  test("is asked for together with others, and passes rest in between", async () => {
    const passes: number[] = [];
    const processes = new SocketProcesses(async (questions, answer) => {
      passes.push(questions.length);
      await Bun.sleep(4);
      for (const each of questions) answer(each, 7);
      return 4;
    });
    const ask = () => processes.find({ ...question }).pid;
    const started = performance.now();
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([7, 7, 7]);
    expect(await Promise.all([ask(), ask()])).toEqual([7, 7]);
    expect(passes).toEqual([3, 2]);
    // 4 ms of looking are followed by at least twenty times as much of leaving alone.
    expect(performance.now() - started).toBeGreaterThan(80);
    processes.close();
  });

  test("is told sooner to somebody who waits for it", async () => {
    const make = () =>
      new SocketProcesses(async (questions, answer) => {
        for (const each of questions) answer(each, 7);
        return 500;
      });
    const [hurried, unhurried] = [make(), make()];
    await Promise.all([hurried, unhurried].map((each) => each.find({ ...question }).pid));
    let isTold = false;
    void unhurried.find({ ...question }).pid.then(() => {
      isTold = true;
    });
    const asked = hurried.find({ ...question });
    hurried.hurry();
    expect(await asked.pid).toBe(7);
    expect(isTold).toBe(false);
    for (const each of [hurried, unhurried]) each.close();
  }, 120_000);
});
