// The client's end of a stream with rows in both directions. On node:net, because fetch cannot go
// on sending after its request. Every failure to connect is a UserError of the client's own kind;
// what breaks later ends the connection.

import { readFile } from "node:fs/promises";
import { createConnection, type Socket } from "node:net";
import { UserError } from "../../model/user-error.ts";
import { BodyDecoder } from "../../wire/http1/body.ts";
import { parseResponseHead } from "../../wire/http1/head.ts";
import { NdjsonDecoder } from "../../wire/ndjson.ts";
import { ADDRESS_IN_RUN, DaemonDown, startCommand } from "../client.ts";
import { METHODS } from "../methods.ts";

const ROW_MAX = 32 * 1024 * 1024;
const CONNECT_MS = 10_000;

/** An open connection. */
export interface RowConnection {
  send(row: object): void;
  onRow(listener: (row: unknown) => void): void;
  /** Called once when it has ended, no matter who ended it. */
  onClosed(listener: (why: string) => void): void;
  close(): void;
}

/** Opens a stream of the method `mcp_session`. */
export async function openRows(
  socketPath: string,
  method: "mcp_session",
  input: object,
): Promise<RowConnection> {
  const port = await portInRun();
  const socket = await connect(
    port === undefined ? createConnection(socketPath) : createConnection(port, "127.0.0.1"),
    socketPath,
  );
  const body = JSON.stringify(input);
  const { verb, path } = METHODS[method];
  socket.write(
    `${verb} ${path} HTTP/1.1\r\nhost: ${port === undefined ? "iddio" : `127.0.0.1:${port}`}\r\naccept: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return new Promise((resolve, reject) => {
    let head: Uint8Array | undefined = new Uint8Array(0);
    let decoder: BodyDecoder | undefined;
    const rows = new NdjsonDecoder(ROW_MAX);
    let onRow: ((row: unknown) => void) | undefined;
    let onClosed: ((why: string) => void) | undefined;
    const early: unknown[] = [];
    let refused: Uint8Array[] | undefined;
    let why = "the daemon has stopped";
    const take = (bytes: Uint8Array) => {
      const step = decoder?.push(bytes);
      if (step === undefined || step.kind === "bad") return socket.destroy();
      for (const data of step.data) {
        if (refused !== undefined) refused.push(data.slice());
        else
          for (const row of rows.push(data)) {
            if (onRow === undefined) early.push(row);
            else onRow(row);
          }
      }
      if (rows.problem !== undefined || (step.done && refused === undefined)) socket.destroy();
      if (step.done && refused !== undefined) {
        reject(refusalOf(Buffer.concat(refused)));
        socket.destroy();
      }
    };
    socket.on("data", (chunk: Buffer) => {
      if (head === undefined) return take(chunk);
      head = Buffer.concat([head, chunk]);
      const read = parseResponseHead(head, verb);
      if (read.kind === "need-more") return;
      if (read.kind === "bad") return socket.destroy();
      const rest = head.subarray(read.length);
      head = undefined;
      decoder = new BodyDecoder(read.value.framing);
      if (read.value.status !== 200) refused = [];
      else
        resolve({
          send: (row) => void socket.write(`${JSON.stringify(row)}\n`),
          onRow: (listener) => {
            onRow = listener;
            for (const row of early.splice(0)) listener(row);
          },
          onClosed: (listener) => {
            onClosed = listener;
            if (socket.destroyed) listener(why);
          },
          close: () => socket.destroy(),
        });
      take(rest);
    });
    socket.on("error", (error) => {
      why = error.message;
    });
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      reject(
        new UserError("the daemon closed the connection", { hint: "see whether it runs: iddio status" }),
      );
      onClosed?.(why);
    });
  });
}

/** The port at which a program in `iddio run` reaches the daemon; undefined outside of one. */
async function portInRun(): Promise<number | undefined> {
  const text = await readFile(ADDRESS_IN_RUN, "utf8").catch(() => "");
  const port = /^http:\/\/127\.0\.0\.1:(\d+)$/.exec(text.trim())?.[1];
  return port === undefined ? undefined : Number(port);
}

function connect(socket: Socket, where: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error("no answer")), CONNECT_MS);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      resolve(socket);
    });
    socket.once("error", (error) => {
      clearTimeout(timer);
      reject(
        new DaemonDown(`dial unix ${where}: connect: ${error.message}`, {
          hint: `the daemon is not running; start it with: ${startCommand(where)}`,
          cause: error,
        }),
      );
    });
  });
}

function refusalOf(body: Buffer): UserError {
  try {
    const { error, hint } = JSON.parse(body.toString("utf8")) as { error?: unknown; hint?: unknown };
    return new UserError(String(error), typeof hint === "string" ? { hint } : {});
  } catch {
    return new UserError("the daemon's answer cannot be read", { hint: "see: iddio status, iddio version" });
  }
}
