// A connection that goes from one process to another: what the first one gives away, what the
// second one takes over, and the program that does nothing but carry bytes between a socket and two
// pipes.

import { describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { adoptSocket } from "../../../src/gateway/stream/adopt-socket.ts";
import { Channel } from "../../../src/gateway/stream/channel.ts";
import { TcpStream } from "../../../src/gateway/stream/tcp-stream.ts";
import { socketPair } from "../../../src/host/process/descriptor.ts";
import { closeDescriptor } from "../../../src/host/sandbox/libc.ts";

/** A connection over loopback: our stream, and the peer as Node has it. */
async function connection(): Promise<
  { readonly stream: TcpStream; readonly peer: Socket } & AsyncDisposable
> {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => accepted.resolve(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const opened = Promise.withResolvers<TcpStream>();
  await Bun.connect<TcpStream | undefined>({
    hostname: "127.0.0.1",
    port: (server.address() as { port: number }).port,
    allowHalfOpen: true,
    data: undefined,
    socket: TcpStream.handlers(opened.resolve),
  } as never);
  const peer = await accepted.promise;
  return {
    stream: await opened.promise,
    peer,
    async [Symbol.asyncDispose]() {
      peer.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const said = (peer: Socket): Promise<string> =>
  new Promise((resolve) => {
    let text = "";
    peer.on("data", (bytes: Uint8Array) => {
      text += Buffer.from(bytes).toString();
    });
    peer.on("end", () => resolve(text));
    peer.on("error", () => resolve(`${text} (broken)`));
  });

describe("a stream that is handed out", () => {
  test("lives on under its descriptor, without a word to the peer; whoever destroys it is told on", async () => {
    await using both = await connection();
    const told: string[] = [];
    const heard = said(both.peer);
    const fd = both.stream.handOut(() => told.push("destroyed"));
    const taken = new Channel(await adoptSocket(fd));
    both.peer.write("to the new one");
    expect(await taken.readable()).toBe(true);
    expect(Buffer.from(taken.read()).toString()).toBe("to the new one");
    taken.write(Buffer.from("from the new one"));
    both.stream.destroy();
    expect(told).toEqual(["destroyed"]);
    taken.end();
    expect(await heard).toBe("from the new one");
    taken.destroy();
  });

  test("is given away once, and not when it is over or has bytes of its own to send", async () => {
    await using one = await connection();
    closeDescriptor(one.stream.handOut(() => undefined));
    expect(() => one.stream.handOut(() => undefined)).toThrow();
    await using other = await connection();
    other.stream.end();
    expect(() => other.stream.handOut(() => undefined)).toThrow();
    await using full = await connection();
    full.peer.pause();
    while (full.stream.write(new Uint8Array(1024 * 1024))) await Bun.sleep(0);
    expect(() => full.stream.handOut(() => undefined)).toThrow();
    full.stream.destroy();
  });
});

test("an end of a pair is a stream like any other: bytes, an end, a close", async () => {
  const [ours, theirs] = socketPair();
  const [one, other] = [new Channel(await adoptSocket(ours)), new Channel(await adoptSocket(theirs))];
  one.write(Buffer.from("hello"));
  one.end();
  expect(await other.readable()).toBe(true);
  expect(Buffer.from(other.read()).toString()).toBe("hello");
  expect(await other.readable()).toBe(false);
  other.write(Buffer.from("back"));
  expect(await one.readable()).toBe(true);
  expect(Buffer.from(one.read()).toString()).toBe("back");
  one.destroy();
  other.destroy();
});

if (process.platform === "linux")
  describe("bytes that the kernel carries", () => {
    const CARRY = `import { carryNow, connectNow } from "${new URL("../../../src/host/process/sockets/raw-socket.ts", import.meta.url).pathname}";
carryNow(0, 1, connectNow({ host: "127.0.0.1", port: Number(process.argv[2] ?? process.argv[1]) }));`;

    /** Runs it between two pipes of a shell. */
    const carried = async (port: number, line: string) => {
      const child = Bun.spawn(["bash", "-c", line], {
        env: { PATH: process.env.PATH ?? "", BUN: process.execPath, CARRY, PORT: String(port) },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const [stdout, stderr] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      return { code: await child.exited, stdout: stdout.trim(), stderr };
    };

    const serve = async (each: (socket: Socket) => void) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on("error", () => undefined);
        each(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    };

    test("arrive whole both ways, with the end of each side", async () => {
      const server = await serve((socket) => socket.pipe(socket));
      const { port } = server.address() as { port: number };
      const { stdout, stderr } = await carried(
        port,
        `head -c 20000000 /dev/zero | tr '\\0' x | "$BUN" -e "$CARRY" "$PORT" | sha256sum`,
      );
      server.close();
      const hash = new Bun.CryptoHasher("sha256").update(Buffer.alloc(20_000_000, "x")).digest("hex");
      expect([stdout, stderr]).toEqual([`${hash}  -`, ""]);
    });

    test("end with the socket, though the pipe in front of it stays open", async () => {
      const server = await serve((socket) => socket.end("bye\n"));
      const { port } = server.address() as { port: number };
      const { stdout } = await carried(
        port,
        `exec 3< <(exec sleep 1000); "$BUN" -e "$CARRY" "$PORT" <&3 | cat; kill $!`,
      );
      server.close();
      expect(stdout).toBe("bye");
    });

    test("end when nobody reads them any more", async () => {
      const server = await serve((socket) => {
        const more = () => {
          while (socket.writable && socket.write(Buffer.alloc(65_536)));
        };
        socket.on("drain", more);
        more();
      });
      const { port } = server.address() as { port: number };
      const { code } = await carried(
        port,
        `exec 3< <(exec sleep 1000); "$BUN" -e "$CARRY" "$PORT" <&3 | head -c 10 > /dev/null; kill $!`,
      );
      server.close();
      expect(code).toBe(0);
    });
  });
