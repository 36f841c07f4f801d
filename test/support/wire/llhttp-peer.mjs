// The other reader of the differential test: node's own HTTP/1.1, run by node itself, because Bun's
// `node:http` has another parser. Reads commands as JSON lines on stdin, answers on stdout:
//   {"requests": [base64, …]}            -> one line a connection: what its server read from these bytes
//   {"responses": [base64, …], "method"} -> one line a connection: what its client read from these bytes

import { createServer, request } from "node:http";
import { connect, createServer as createRawServer } from "node:net";
import { createInterface } from "node:readline";

const LIMIT_MS = 5000;
const PARALLEL = 32;

/** What a server makes of the bytes of one connection: its messages in order, and the error that ended it. */
function readRequests(port, bytes, sink) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const reading = { messages: [], error: null };
    const timer = setTimeout(() => socket.destroy(), LIMIT_MS);
    socket.on("connect", () => {
      sink.set(socket.localPort, reading);
      socket.end(bytes);
    });
    socket.on("error", () => {});
    socket.resume();
    socket.on("close", () => {
      clearTimeout(timer);
      sink.delete(socket.localPort);
      resolve(reading);
    });
  });
}

async function serveRequests(cases) {
  const sink = new Map();
  const options = {
    maxHeaderSize: 131_072,
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: 0,
    joinDuplicateHeaders: false,
  };
  const server = createServer(options, (incoming, answer) => {
    const reading = sink.get(incoming.socket.remotePort);
    const pieces = [];
    const message = {
      method: incoming.method,
      target: incoming.url,
      version: incoming.httpVersion,
      headers: incoming.rawHeaders,
      whole: false,
    };
    reading?.messages.push(message);
    incoming.on("data", (piece) => pieces.push(piece));
    incoming.on("error", () => {});
    incoming.on("end", () => {
      message.whole = true;
      message.body = Buffer.concat(pieces).toString("base64");
      message.trailers = incoming.rawTrailers;
      answer.end();
    });
  });
  // Our side closes its half at once; node must still finish what it has read.
  server.httpAllowHalfOpen = true;
  server.on("clientError", (error, socket) => {
    const reading = sink.get(socket.remotePort);
    if (reading) reading.error = error.code ?? String(error);
    socket.destroy();
  });
  server.on("connect", (incoming, socket) => {
    sink.get(socket.remotePort)?.messages.push({
      method: "CONNECT",
      target: incoming.url,
      version: incoming.httpVersion,
      headers: incoming.rawHeaders,
      whole: true,
      body: "",
      trailers: [],
    });
    socket.destroy();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const results = await inParallel(cases, (text) =>
    readRequests(server.address().port, Buffer.from(text, "base64"), sink),
  );
  server.close();
  return results;
}

/** What a client makes of the bytes that one connection answers with; the path says which bytes those are. */
function readResponse(port, method, path) {
  return new Promise((resolve) => {
    const reading = { messages: [], error: null };
    const outgoing = request({
      port,
      host: "127.0.0.1",
      method,
      path,
      agent: false,
      maxHeaderSize: 131_072,
    });
    const timer = setTimeout(() => outgoing.destroy(new Error("timeout")), LIMIT_MS);
    outgoing.on("information", (head) =>
      reading.messages.push({
        status: head.statusCode,
        statusText: head.statusMessage,
        version: head.httpVersion,
        headers: head.rawHeaders,
        whole: true,
        body: "",
        trailers: [],
      }),
    );
    outgoing.on("upgrade", (incoming, socket) => {
      reading.messages.push({
        status: incoming.statusCode,
        statusText: incoming.statusMessage,
        version: incoming.httpVersion,
        headers: incoming.rawHeaders,
        whole: true,
        body: "",
        trailers: [],
      });
      socket.destroy();
    });
    outgoing.on("response", (incoming) => {
      const pieces = [];
      const message = {
        status: incoming.statusCode,
        statusText: incoming.statusMessage,
        version: incoming.httpVersion,
        headers: incoming.rawHeaders,
        whole: false,
      };
      reading.messages.push(message);
      incoming.on("data", (piece) => pieces.push(piece));
      incoming.on("error", () => {});
      incoming.on("end", () => {
        message.whole = incoming.complete;
        message.body = Buffer.concat(pieces).toString("base64");
        message.trailers = incoming.rawTrailers;
      });
    });
    outgoing.on("error", (error) => {
      reading.error = error.code ?? String(error);
    });
    outgoing.on("close", () => {
      clearTimeout(timer);
      // The socket's parser may report surplus bytes only after the message was delivered.
      setImmediate(() => resolve(reading));
    });
    outgoing.end();
  });
}

/** One server for all: a port of its own for each would run the system out of them in long runs. */
async function answerWith(cases, method) {
  const server = createRawServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (head) => {
      const index = Number(/ \/(\d+) /.exec(head.toString("latin1"))?.[1]);
      socket.end(Buffer.from(cases[index], "base64"));
    });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  const readings = await inParallel(cases, (_, index) => readResponse(port, method, `/${index}`));
  server.close();
  return readings;
}

async function inParallel(items, work) {
  const results = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index], index);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return results;
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  const results = command.requests
    ? await serveRequests(command.requests)
    : await answerWith(command.responses, command.method);
  for (const result of results) process.stdout.write(`${JSON.stringify(result)}\n`);
}
