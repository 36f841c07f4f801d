// The gate between an SFTP client and its server, packet by packet: what a client may not get past
// it by numbers that are used twice, handles for both directions, and requests that come before
// their answers.

import { describe, expect, test } from "bun:test";
import type { WishAnswer } from "../../../src/features/ssh/session/daemon-link.ts";
import { SftpGate } from "../../../src/features/ssh/session/sftp-gate.ts";
import { OPEN_FLAGS, SFTP } from "../../../src/wire/sftp/packets.ts";

const int = (value: number) => {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
};
const text = (value: string) => Buffer.concat([int(Buffer.byteLength(value)), Buffer.from(value)]);
const packet = (type: number, ...parts: readonly Uint8Array[]) => {
  const body = Buffer.concat([Buffer.from([type]), ...parts]);
  return Buffer.concat([int(body.length), body]);
};
const open = (id: number, path: string, flags: number) =>
  packet(SFTP.open, int(id), text(path), int(flags), int(0));
const fsetstat = (id: number, handle: string) =>
  packet(SFTP.fsetstat, int(id), text(handle), int(4), int(0o777));
const handle = (id: number, name: string) => packet(SFTP.handle, int(id), text(name));

function gateWith(answer: (operation: string, path: string) => WishAnswer) {
  const asked: string[] = [];
  const sent: number[] = [];
  const ends: (number | undefined)[] = [];
  let cut: string | undefined;
  let serial = 0;
  const gate = new SftpGate({
    ask(operation, paths) {
      asked.push(`${operation} ${paths.join(" ")}`);
      return { id: ++serial, answer: Promise.resolve(answer(operation, paths[0] ?? "")) };
    },
    leave: () => undefined,
    end: (_, { code }) => ends.push(code),
    async toServer(bytes) {
      sent.push(bytes[4] ?? 0);
    },
    toClient: async () => undefined,
    tell: async () => undefined,
    cut(reason) {
      cut = reason;
    },
  });
  return { gate, asked, sent, ends, cut: () => cut };
}

const GO: WishAnswer = { kind: "go" };
const NO: WishAnswer = { kind: "refuse", text: "no" };

describe("the gate of SFTP", () => {
  test("a number that waits for its answer is not used again: its handle would pass for another's", async () => {
    const { gate, sent, cut } = gateWith(() => GO);
    await gate.client(open(1, "/etc/hosts", OPEN_FLAGS.read));
    await gate.client(open(1, "/tmp/mine", OPEN_FLAGS.write));
    expect(cut()).toContain("number");
    // The first answer would have been taken for the second file, which may be written.
    await gate.server(handle(1, "A"));
    await gate.client(fsetstat(2, "A"));
    expect(sent).toEqual([SFTP.open]);
  });

  test("requests in flight with numbers of their own go on", async () => {
    const { gate, sent, cut } = gateWith(() => GO);
    await gate.client(
      Buffer.concat([open(1, "/tmp/a", OPEN_FLAGS.read), open(2, "/tmp/b", OPEN_FLAGS.write)]),
    );
    await gate.server(Buffer.concat([handle(1, "A"), handle(2, "B")]));
    await gate.client(open(1, "/tmp/c", OPEN_FLAGS.read));
    expect([sent.length, cut()]).toEqual([3, undefined]);
  });

  test("a file for both directions is asked about for both", async () => {
    const { gate, asked, sent } = gateWith((operation) => (operation === "download" ? NO : GO));
    await gate.client(open(1, "/srv/app/data", OPEN_FLAGS.read | OPEN_FLAGS.write));
    expect([asked, sent]).toEqual([["download /srv/app/data"], []]);
    await gate.client(open(2, "/srv/app/data", OPEN_FLAGS.write | OPEN_FLAGS.create));
    expect([asked.at(-1), sent]).toEqual(["upload /srv/app/data", [SFTP.open]]);
  });

  test("the mode of a file that was only read is asked about", async () => {
    const { gate, asked, sent } = gateWith((operation) => (operation === "download" ? GO : NO));
    await gate.client(open(1, "/srv/app/run", OPEN_FLAGS.read));
    await gate.server(handle(1, "A"));
    await gate.client(fsetstat(2, "A"));
    expect([asked, sent]).toEqual([["download /srv/app/run", "chmod /srv/app/run"], [SFTP.open]]);
  });

  test("what renames, links and copies by OpenSSH's own names is asked about like the rest", async () => {
    const { gate, asked, sent } = gateWith(() => NO);
    const extended = (id: number, name: string, ...paths: readonly string[]) =>
      packet(SFTP.extended, int(id), text(name), ...paths.map(text));
    await gate.client(extended(1, "posix-rename@openssh.com", "/tmp/a", "/home/x/.ssh/authorized_keys"));
    await gate.client(extended(2, "hardlink@openssh.com", "/etc/shadow", "/tmp/b"));
    await gate.client(packet(SFTP.symlink, int(3), text("/etc"), text("/tmp/c")));
    await gate.client(extended(4, "unheard-of@example.com", "/tmp/a"));
    // Between handles that nobody opened.
    await gate.client(
      packet(
        SFTP.extended,
        int(5),
        text("copy-data"),
        text("A"),
        Buffer.alloc(16),
        text("B"),
        Buffer.alloc(8),
      ),
    );
    expect(asked).toEqual([
      "rename /tmp/a /home/x/.ssh/authorized_keys",
      "link /etc/shadow /tmp/b",
      "symlink /etc /tmp/c",
      "other unheard-of@example.com",
    ]);
    expect(sent).toEqual([]);
  });
});
