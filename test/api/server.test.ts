import { describe, expect, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { symlink, unlink, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { ControlClient, DaemonDown, StreamEnded } from "../../src/api/client.ts";
import type { RowSink } from "../../src/api/handlers.ts";
import type { ControlMethods } from "../../src/api/methods.ts";
import type { Principal } from "../../src/api/principal.ts";
import type { EventRow } from "../../src/api/reports.ts";
import { serveControl } from "../../src/api/server/server.ts";
import { UserError } from "../../src/model/user-error.ts";
import { completed, controlServer } from "../support/control-server.ts";
import { OPEN_GATE } from "../support/sandbox/open-gate.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const mode = { proxy_mode: "enforce", previous: "observe" } as const;
const current = { proxy_mode: "enforce" } as const;

/** Sends raw bytes and gives everything that comes back. */
function raw(socket: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const client = connect(socket, () => client.write(text));
    client.on("data", (chunk) => chunks.push(chunk as Buffer));
    client.on("close", () => resolve(Buffer.concat(chunks).toString()));
    client.on("error", reject);
  });
}

function post(path: string, body: string, headers = ""): string {
  return `POST ${path} HTTP/1.1\r\nHost: iddio\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

async function failure(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof UserError) return error;
  throw new Error(`expected a UserError, got ${error}`);
}

describe("a call", () => {
  test("carries its input to the handler and the output back", async () => {
    let seen: unknown;
    await using control = await controlServer({
      mode_set: (input) => {
        seen = input;
        return mode;
      },
    });
    expect(await control.client.call("mode_set", { proxy_mode: "enforce" })).toEqual(mode);
    expect(seen).toEqual({ proxy_mode: "enforce" });
  });

  test("tells the handler which process and user called", async () => {
    let seen: Principal | undefined;
    await using control = await controlServer({
      mode_get: (_, caller) => {
        seen = caller;
        return current;
      },
    });
    await control.client.call("mode_get", {});
    expect(seen).toEqual({ kind: "owner", pid: process.pid, uid: process.getuid?.() ?? -1 });
  });

  test("brings a refusal to the caller with hint and exit code", async () => {
    await using control = await controlServer({
      approvals_allow: () => {
        throw new UserError("no approval 'x'", { hint: "see: iddio approval list", exitCode: 2 });
      },
    });
    const error = await failure(control.client.call("approvals_allow", { id: "x" }));
    expect([error.message, error.hint, error.exitCode]).toEqual([
      "no approval 'x'",
      "see: iddio approval list",
      2,
    ]);
    expect(control.errors).toEqual([]);
  });

  test("that makes the daemon fail says so and is reported to the daemon", async () => {
    await using control = await controlServer({
      status: () => {
        throw new TypeError("broken");
      },
    });
    const error = await failure(control.client.call("status", {}));
    expect(error.message).toBe("the daemon failed: broken");
    expect(control.errors).toHaveLength(1);
  });

  test("whose answer is not what the table says is the daemon's fault, and nothing of it is sent", async () => {
    await using control = await controlServer({
      mode_get: () => ({ proxy_mode: "enforce", secret: "x" }) as never,
    });
    const error = await failure(control.client.call("mode_get", {}));
    expect(error.message).toContain("unknown field 'secret'");
    expect(control.errors).toHaveLength(1);
  });

  test("brings the code of a refusal to the caller", async () => {
    await using control = await controlServer({
      grants_revoke: () => {
        throw new UserError("no grant 'x'", { code: "not-found" });
      },
    });
    expect((await failure(control.client.call("grants_revoke", { id: "x" }))).code).toBe("not-found");
  });

  test("to a newer daemon takes its new fields and words, and refuses what it cannot read", async () => {
    await using directory = await temporaryDirectory();
    const socket = join(directory.path, "s");
    let body = '{"proxy_mode":"paranoid","more":1}';
    const newer = createServer((client) =>
      client.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`),
    );
    await new Promise<void>((resolve) => newer.listen(socket, resolve));
    const client = new ControlClient(socket);
    expect<unknown>(await client.call("mode_get", {})).toEqual({ proxy_mode: "paranoid", more: 1 });
    body = '{"mode":"enforce"}';
    expect((await failure(client.call("mode_get", {}))).message).toContain("'proxy_mode' is not a string");
    newer.close();
  });

  test("keeps text as it was, whatever is in it", async () => {
    const reason = '007 "\\\n\u0000\u202e é 😀';
    let seen: string | undefined;
    await using control = await controlServer({
      approvals_deny: ({ id, reason }) => {
        seen = reason;
        return { id, outcome: "denied" };
      },
    });
    await control.client.call("approvals_deny", { id: "appr_00000001", reason });
    expect(seen).toBe(reason);
  });

  test("of many at once each gets its own answer", async () => {
    await using control = await controlServer({
      approvals_allow: async ({ id }) => {
        await Bun.sleep(Number(id) % 7);
        return { id, outcome: "approved" };
      },
    });
    const ids = Array.from({ length: 60 }, (_, index) => String(index));
    const replies = await Promise.all(ids.map((id) => control.client.call("approvals_allow", { id })));
    expect(replies.map(({ id }) => id)).toEqual(ids);
  });
});

describe("a request is refused when", () => {
  const table: readonly (readonly [name: string, request: string, status: number, says: string])[] = [
    [
      "it has a field that the method does not know",
      post("/v1/approvals/allow", '{"id":"x","for":"15m"}'),
      400,
      "unknown field 'for'",
    ],
    ["it lacks a field", post("/v1/approvals/allow", "{}"), 400, "field 'id' is not a string"],
    [
      "a field has another type",
      post("/v1/mode", '{"proxy_mode":1}'),
      400,
      "field 'proxy_mode' is not a string",
    ],
    [
      "a map holds something else than text",
      post("/v1/classify", '{"method":"GET","url":"x","headers":{"a":1}}'),
      400,
      "field 'headers' is not a map",
    ],
    ["it is not JSON", post("/v1/mode", "{"), 400, "not an object"],
    ["it is a list", post("/v1/mode", "[]"), 400, "not an object"],
    ["the method is unknown", post("/v9/mode", "{}"), 404, "no method 'POST /v9/mode'"],
    ["the verb is another", "PUT /v1/mode HTTP/1.1\r\nHost: iddio\r\n\r\n", 405, "no method"],
    ["it is not HTTP", "hello\r\n\r\n", 400, "error"],
    ["it has two lengths", post("/v1/mode", "{}", "Content-Length: 2\r\n"), 400, "error"],
    [
      "the chunks are malformed",
      "POST /v1/mode HTTP/1.1\r\nHost: iddio\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      400,
      "error",
    ],
    ["it is too large", post("/v1/classify", `{"url":"${"x".repeat(5_000_000)}"}`), 413, "larger than"],
    [
      "its head is too large",
      `GET /v1/status HTTP/1.1\r\nHost: iddio\r\nX: ${"x".repeat(70_000)}\r\n\r\n`,
      431,
      "error",
    ],
  ];
  for (const [name, request, status, says] of table) {
    test(name, async () => {
      await using control = await controlServer({});
      const reply = await raw(control.socket, request);
      expect(reply).toStartWith(`HTTP/1.1 ${status} `);
      expect(reply).toContain(says);
      expect(control.errors).toEqual([]);
    });
  }

  test("in pieces of one byte it is read all the same", async () => {
    await using control = await controlServer({ mode_set: () => mode });
    const request = post("/v1/mode", '{"proxy_mode":"enforce"}');
    const reply = await new Promise<string>((resolve) => {
      let text = "";
      const client = connect(control.socket, async () => {
        for (const character of request) {
          client.write(character);
          await Bun.sleep(0);
        }
      });
      client.on("data", (chunk) => {
        text += String(chunk);
      });
      client.on("close", () => resolve(text));
    });
    expect(reply).toEndWith(`${JSON.stringify(mode)}\n`);
  });
});

describe("a stream", () => {
  const event = (count: number): EventRow => ({ timestamp_ms: count, tag: "allow", fields: { count } });

  test("gives the rows in order and ends when the handler does", async () => {
    await using control = await controlServer({
      events: (_, __, sink) => {
        for (let count = 0; count < 5; count += 1) sink.send(event(count));
      },
    });
    const rows = await Array.fromAsync(control.client.stream("events", { follow: false }));
    expect(rows).toEqual([0, 1, 2, 3, 4].map(event));
  });

  test("lets go of the handler when the reader leaves", async () => {
    const left = Promise.withResolvers<void>();
    await using control = await controlServer({
      events: async (_, __, sink) => {
        sink.send(event(1));
        await aborted(sink);
        left.resolve();
      },
    });
    for await (const row of control.client.stream("events", { follow: true })) {
      expect(row).toEqual(event(1));
      break;
    }
    await left.promise;
  });

  test("ends quietly when its reader's signal is aborted", async () => {
    await using control = await controlServer({
      events: async (_, __, sink) => {
        sink.send(event(1));
        await aborted(sink);
      },
    });
    const stop = new AbortController();
    const rows: EventRow[] = [];
    for await (const row of control.client.stream("events", { follow: true }, stop.signal)) {
      rows.push(row);
      stop.abort();
    }
    expect(rows).toEqual([event(1)]);
  });

  test("that is read slowly loses its oldest rows, says how many, and never holds up the sender", async () => {
    const total = 20_000;
    const sent = Promise.withResolvers<void>();
    await using control = await controlServer({
      events: (_, __, sink) => {
        const padding = "x".repeat(500);
        for (let count = 0; count < total; count += 1) {
          sink.send({ timestamp_ms: count, tag: "allow", fields: { padding } });
        }
        sent.resolve();
      },
    });
    const rows: EventRow[] = [];
    for await (const row of control.client.stream("events", { follow: false })) {
      if (rows.length === 0) await sent.promise;
      rows.push(row);
    }
    const lost = rows.flatMap((row) => ("lost" in row ? [row.lost] : []));
    const times = rows.flatMap((row) => ("lost" in row ? [] : [row.timestamp_ms]));
    const missing = lost.reduce((sum, count) => sum + count, 0);
    expect(missing).toBeGreaterThan(0);
    expect(times.length + missing).toBe(total);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBe(total - 1);
  });

  test("ends when the server closes", async () => {
    await using directory = await temporaryDirectory();
    const socket = join(directory.path, "s");
    const started = Promise.withResolvers<void>();
    const server = await serveControl(
      socket,
      completed({
        events: async (_, __, sink) => {
          started.resolve();
          await aborted(sink);
        },
      }),
      { gate: OPEN_GATE },
    );
    const rows = Array.fromAsync(new ControlClient(socket).stream("events", { follow: true })).catch(
      (error: unknown) => error,
    );
    await started.promise;
    await server.close();
    expect(await rows).toBeInstanceOf(StreamEnded);
    expect(existsSync(socket)).toBe(false);
  });
});

function aborted(sink: RowSink<ControlMethods["events"]["output"]>): Promise<void> {
  return new Promise((resolve) => {
    if (sink.signal.aborted) resolve();
    sink.signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

describe("the socket file", () => {
  test("is readable and writable by its owner only", async () => {
    await using control = await controlServer({});
    expect(statSync(control.socket).mode & 0o777).toBe(0o600);
    expect(existsSync(`${control.socket}.new`)).toBe(false);
  });

  test("is replaced when its owner has died", async () => {
    await using directory = await temporaryDirectory();
    const socket = join(directory.path, "s");
    const left = Bun.spawnSync([
      process.execPath,
      "-e",
      `require("node:net").createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    expect(left.exitCode).not.toBe(0);
    expect(existsSync(socket)).toBe(true);
    const server = await serveControl(socket, completed({ mode_get: () => current }), { gate: OPEN_GATE });
    expect(await new ControlClient(socket).call("mode_get", {})).toEqual(current);
    await server.close();
  });

  test("of a living daemon is left alone", async () => {
    await using control = await controlServer({ mode_get: () => current });
    const error = await failure(serveControl(control.socket, completed({}), { gate: OPEN_GATE }));
    expect(error.message).toBe(`another daemon answers on '${control.socket}'`);
    expect(await control.client.call("mode_get", {})).toEqual(current);
  });

  test("that another program serves is left alone", async () => {
    await using directory = await temporaryDirectory();
    const socket = join(directory.path, "s");
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(socket, resolve));
    expect((await failure(serveControl(socket, completed({}), { gate: OPEN_GATE }))).message).toContain(
      "another daemon answers",
    );
    await new Promise((resolve) => other.close(resolve));
  });

  test("is not removed at the end when another has taken its place", async () => {
    await using directory = await temporaryDirectory();
    const socket = join(directory.path, "s");
    const server = await serveControl(socket, completed({}), { gate: OPEN_GATE });
    await unlink(socket);
    await writeFile(socket, "");
    await server.close();
    expect(existsSync(socket)).toBe(true);
  });

  for (const kind of ["a file", "a symbolic link"]) {
    test(`is refused when ${kind} is in its place`, async () => {
      await using directory = await temporaryDirectory();
      const socket = join(directory.path, "s");
      if (kind === "a file") await writeFile(socket, "mine");
      else await symlink(join(directory.path, "elsewhere"), socket);
      expect((await failure(serveControl(socket, completed({}), { gate: OPEN_GATE }))).message).toContain(
        "is not a socket",
      );
    });
  }

  test("has a path that the system can hold, or the error says how long it may be", async () => {
    const error = await failure(
      serveControl(`/tmp/${"x".repeat(120)}/iddio.sock`, completed({}), { gate: OPEN_GATE }),
    );
    expect(error.message).toContain("the system allows 99");
    expect(error.hint).toContain("IDDIO_HOME");
  });
});

describe("without a daemon", () => {
  test("the error reads as the manual prints it", async () => {
    await using directory = await temporaryDirectory();
    const socket = join(directory.path, "iddio.sock");
    const error = await failure(new ControlClient(socket).call("status", {}));
    expect(error).toBeInstanceOf(DaemonDown);
    expect(error.message).toBe(`dial unix ${socket}: connect: no such file or directory`);
    expect(error.exitCode).toBe(1);
  });

  test("a file that is left over refuses the connection", async () => {
    await using directory = await temporaryDirectory();
    const socket = join(directory.path, "iddio.sock");
    await writeFile(socket, "");
    const error = await failure(new ControlClient(socket).call("status", {}));
    expect(error.message).toBe(`dial unix ${socket}: connect: connection refused`);
  });

  test("a daemon that hangs is given up after the timeout", async () => {
    await using directory = await temporaryDirectory();
    const socket = join(directory.path, "s");
    const hung = createServer();
    await new Promise<void>((resolve) => hung.listen(socket, resolve));
    const error = await failure(new ControlClient(socket, { timeoutMs: 50 }).call("status", {}));
    expect(error).not.toBeInstanceOf(DaemonDown);
    expect(error.message).toContain("does not answer");
    hung.close();
  });

  test("a program that speaks something else is told apart", async () => {
    await using directory = await temporaryDirectory();
    const socket = join(directory.path, "s");
    const other = createServer((client) => client.end("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"));
    await new Promise<void>((resolve) => other.listen(socket, resolve));
    const error = await failure(new ControlClient(socket).call("status", {}));
    expect(error.message).toContain("does not speak iddio's protocol");
    other.close();
  });
});
