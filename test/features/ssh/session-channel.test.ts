// The words of a client on a session channel, and their order: a question is about everything that
// was said before it, and nothing that comes after it changes what runs.

import { describe, expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import type { Wish } from "../../../src/features/ssh/link.ts";
import { isAllowedVariable, serveSessionChannel } from "../../../src/features/ssh/session/session-channel.ts";

/** A channel as ssh2 has it, of which nothing is sent anywhere. */
function channel() {
  const closed: string[] = [];
  const made = Object.assign(new EventEmitter(), {
    outgoing: { id: 0, window: 1_000_000, packetSize: 32_768, state: "open" },
    incoming: { window: 1 },
    readableLength: 0,
    _client: {
      _sock: Object.assign(new EventEmitter(), { writableLength: 0 }),
      _protocol: { channelData: () => undefined, channelExtData: () => undefined },
    },
    push: () => true,
    exit: (code: number) => closed.push(`exit ${code}`),
    eof: () => undefined,
    close: () => closed.push("close"),
    resume: () => undefined,
    pause: () => undefined,
  });
  return { made, closed };
}

function served() {
  const wishes: Wish[] = [];
  const session = new EventEmitter();
  const link = {
    ask(wish: Wish) {
      wishes.push(wish);
      return { id: wishes.length, answer: Promise.resolve({ kind: "refuse", text: "no" } as const) };
    },
    leave: () => undefined,
  };
  serveSessionChannel({ link } as never, new EventEmitter() as never, session as never);
  const { made, closed } = channel();
  const replies: string[] = [];
  const reply = (name: string) => () => {
    replies.push(name);
    return made;
  };
  const say = (name: string, info?: unknown) =>
    session.emit(name, reply(`${name} yes`), reply(`${name} no`), info);
  return { say, wishes, replies, closed };
}

const PTY = { term: "xterm", cols: 80, rows: 24 };

describe("a session channel", () => {
  test("a terminal that comes after the command is refused: the command was asked about without one", async () => {
    const { say, wishes, replies } = served();
    say("exec", { command: "journalctl -u nginx" });
    say("pty", PTY);
    expect(replies).toEqual(["exec yes", "pty no"]);
    expect(wishes).toEqual([{ kind: "exec", command: "journalctl -u nginx", pty: false }]);
  });

  test("one that comes before is part of the question, also for an empty command, which is a shell", () => {
    const { say, wishes } = served();
    say("pty", PTY);
    say("exec", { command: "uname" });
    expect(wishes).toEqual([{ kind: "exec", command: "uname", pty: true }]);
    const other = served();
    other.say("exec", { command: "" });
    expect(other.wishes).toEqual([{ kind: "shell" }]);
  });

  test("has one command, shell or subsystem: what follows on the same channel is not even asked about", () => {
    const { say, wishes } = served();
    say("exec", { command: "uname" });
    say("shell");
    say("exec", { command: "rm -rf /" });
    say("subsystem", { name: "sftp" });
    expect(wishes.length).toBe(1);
  });

  test("what cannot be read is refused without a question", async () => {
    for (const [name, info] of [
      ["exec", { command: "ls\0; reboot" }],
      ["exec", { command: "ls \uFFFD" }],
      ["exec", { command: "x".repeat(100_001) }],
      ["subsystem", { name: "-oProxyCommand=x" }],
      ["subsystem", { name: "sftp\nx" }],
      ["subsystem", { name: "" }],
    ] as const) {
      const { say, wishes, closed } = served();
      say(name, info);
      await Bun.sleep(0);
      expect([wishes.length, closed]).toEqual([0, ["exit 126", "close"]]);
    }
  });

  test("variables go on when they say how a program speaks, and never name a file", () => {
    for (const [name, value] of [
      ["LANG", "de_DE.UTF-8"],
      ["LC_ALL", "C"],
      ["LANGUAGE", "de:en"],
      ["TZ", "Europe/Berlin"],
      ["TZ", "EST5EDT,M3.2.0,M11.1.0"],
      ["GIT_PROTOCOL", "version=2"],
    ] as const)
      expect([name, value, isAllowedVariable(name, value)]).toEqual([name, value, true]);
    for (const [name, value] of [
      ["LANGUAGE", "../../../tmp/x"],
      ["LC_MESSAGES", "/tmp/x"],
      ["TZ", "/etc/shadow"],
      ["TZ", ":/etc/shadow"],
      ["TZ", ":etc"],
      ["TZ", "../x"],
      ["LD_PRELOAD", "x"],
      ["PATH", "x"],
      ["BASH_ENV", "x"],
      ["GIT_SSH_COMMAND", "x"],
      ["LC_ALL", "C\nX"],
    ] as const)
      expect([name, value, isAllowedVariable(name, value)]).toEqual([name, value, false]);
  });
});
