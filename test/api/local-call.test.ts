// One request and its answer on a bare connection, against servers that write what no daemon would.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { callLocal } from "../../src/api/local-call.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const REQUEST = { verb: "POST", path: "/v1/x", headers: {}, body: "{}" };

type Reaction = (socket: Bun.Socket<undefined>, seen: string) => void;

async function against(react: Reaction, use: (path: string) => Promise<void>): Promise<void> {
  await using directory = await temporaryDirectory();
  const unix = join(directory.path, "s");
  let seen = "";
  const server = Bun.listen<undefined>({
    unix,
    socket: {
      data(socket, bytes) {
        seen += bytes.toString();
        react(socket, seen);
      },
    },
  });
  try {
    await use(unix);
  } finally {
    server.stop(true);
  }
}

async function answered(unix: string, signal = AbortSignal.timeout(60_000)) {
  const answer = await callLocal({ unix }, REQUEST, signal);
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  return { status: answer.status, text: Buffer.concat(pieces).toString() };
}

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

test("an answer is the same however its octets are cut", async () => {
  const answers = [
    ["HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nhello", { status: 404, text: "hello" }],
    ["HTTP/1.1 200 \r\ncontent-type: x\r\ncontent-length: 0\r\n\r\n", { status: 200, text: "" }],
    [`${CHUNKED}5\r\nhello\r\n3\r\n\r\n!\r\n0\r\n\r\n`, { status: 200, text: "hello\r\n!" }],
  ] as const;
  for (const [text, expected] of answers)
    for (const size of [1, 2, 7, text.length]) {
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      const write: Reaction = async (socket, seen) => {
        if (!seen.endsWith("{}")) return;
        for (const piece of pieces) {
          socket.write(piece);
          socket.flush();
          await new Promise((resolve) => setImmediate(resolve));
        }
        socket.end();
      };
      await against(write, async (unix) => expect(await answered(unix)).toEqual(expected));
    }
});

test("an answer that ends too early, or is none of ours, is an error", async () => {
  const wrong = [
    ["", "ECONNRESET"],
    ["HTTP/1.1 200 OK\r\ncontent-le", "ECONNRESET"],
    ["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", "ECONNRESET"],
    [`${CHUNKED}5\r\nhello\r\n`, "ECONNRESET"],
    [`${CHUNKED}zz\r\nhello\r\n0\r\n\r\n`, "EPROTO"],
    ["HTTP/1.1 200 OK\r\n\r\nhello", "EPROTO"],
    ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "EPROTO"],
    [`HTTP/1.1 200 OK\r\nx: ${"x".repeat(70_000)}`, "EPROTO"],
  ] as const;
  for (const [text, code] of wrong)
    await against(
      (socket) => void socket.end(text),
      async (unix) => {
        const error = await answered(unix).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect([text.slice(0, 40), (error as { code?: string }).code]).toEqual([text.slice(0, 40), code]);
      },
    );
});

test("a large request is sent whole", async () => {
  const body = "x".repeat(8 * 1024 * 1024);
  let length = 0;
  const react: Reaction = (socket, seen) => {
    length = seen.length - seen.indexOf("\r\n\r\n") - 4;
    if (length === body.length) socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
  };
  await against(react, async (unix) => {
    const signal = AbortSignal.timeout(60_000);
    const answer = await callLocal({ unix }, { ...REQUEST, body }, signal);
    expect([answer.status, length]).toEqual([200, body.length]);
  });
});

test("a reader that is slow, and one that leaves, hold the server back and let it go", async () => {
  const block = new Uint8Array(64 * 1024);
  const total = 512;
  let sent = 0;
  const closed = Promise.withResolvers<void>();
  await using directory = await temporaryDirectory();
  const unix = join(directory.path, "s");
  const pour = (socket: Bun.Socket<undefined>) => {
    while (sent < total * block.length) {
      const taken = socket.write(block.subarray(0, Math.min(block.length, total * block.length - sent)));
      if (taken <= 0) return;
      sent += taken;
    }
  };
  const server = Bun.listen<undefined>({
    unix,
    socket: {
      data(socket) {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total * block.length}\r\n\r\n`);
        pour(socket);
      },
      drain: pour,
      close: () => closed.resolve(),
    },
  });
  const answer = await callLocal({ unix }, REQUEST, AbortSignal.timeout(60_000));
  const first = await answer.body.next();
  expect(first.done).toBe(false);
  // Nobody reads: the server cannot get rid of all of it, however long it has.
  await Bun.sleep(100);
  expect(sent).toBeLessThan((total * block.length) / 2);
  let read = first.done === true ? 0 : first.value.length;
  for await (const piece of answer.body) {
    read += piece.length;
    if (read > (total * block.length) / 2) break;
  }
  await closed.promise;
  expect(sent).toBeLessThan(total * block.length);
  server.stop(true);
});

test("an aborted call rejects with the signal's reason, before and after the head", async () => {
  const stop = new AbortController();
  await against(
    () => stop.abort("enough"),
    async (unix) =>
      expect(await answered(unix, stop.signal).catch((reason: unknown) => reason)).toBe("enough"),
  );
  const later = new AbortController();
  await against(
    (socket) => void socket.write(`${CHUNKED}5\r\nhello\r\n`),
    async (unix) => {
      const { body } = await callLocal({ unix }, REQUEST, later.signal);
      expect((await body.next()).done).toBe(false);
      later.abort("enough");
      expect(await body.next().catch((reason: unknown) => reason)).toBe("enough");
    },
  );
});
