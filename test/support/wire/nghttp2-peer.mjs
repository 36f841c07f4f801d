// The other end of the HTTP/2 tests: node's own (nghttp2), run by node itself, because Bun's `node:http2`
// is another implementation. Without TLS, on loopback. One command as a JSON line on stdin, answers as
// JSON lines on stdout:
//   {"read": [base64, …]}  -> one line a connection: what its server read from these bytes
//   {"call": port}         -> one line an exchange that its client made with the server there
//   {"serve": true}        -> its port, then it answers until stdin ends

import { connect as connectHttp2, constants, createServer } from "node:http2";
import { connect } from "node:net";
import { createInterface } from "node:readline";

const LIMIT_MS = 5000;
const PARALLEL = 16;
const PING = Buffer.from("\0\0\x08\x06\0\0\0\0\0the last", "latin1");
const GOAWAY = Buffer.from("\x07\0\0\0\0\0", "latin1");
const PING_ANSWER = Buffer.from("\x06\x01\0\0\0\0the last", "latin1");
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

/** What a server makes of the bytes of one connection: its streams, in order. */
function readOne(port, bytes, sink) {
  return new Promise((resolve) => {
    const reading = { streams: [], error: null };
    const socket = connect({ port, host: "127.0.0.1" });
    const timer = setTimeout(() => socket.destroy(), LIMIT_MS);
    socket.on("connect", () => {
      sink.set(socket.localPort, reading);
      socket.write(Buffer.concat([bytes, PING]));
    });
    socket.on("error", () => {});
    const output = [];
    socket.on("data", (piece) => {
      output.push(piece);
      // The answer to the ping behind everything, or a GOAWAY: all has been read that will be.
      const whole = Buffer.concat(output);
      if (whole.includes(PING_ANSWER) || whole.includes(GOAWAY)) setImmediate(() => socket.destroy());
    });
    socket.on("close", () => {
      clearTimeout(timer);
      reading.output = Buffer.concat(output).toString("base64");
      sink.delete(socket.localPort);
      setImmediate(() => resolve(reading));
    });
  });
}

async function read(cases) {
  const sink = new Map();
  const server = createServer({ settings: { maxHeaderListSize: 65_536 }, maxSessionInvalidFrames: 100_000 });
  server.on("session", (session) => {
    const reading = sink.get(session.socket.remotePort);
    session.on("error", (error) => {
      if (reading) reading.error = error.code ?? String(error);
    });
  });
  server.on("sessionError", () => {});
  server.on("stream", (stream, _headers, _flags, rawHeaders) => {
    const reading = sink.get(stream.session.socket.remotePort);
    const seen = { id: stream.id, headers: rawHeaders, body: "", ended: false, trailers: [] };
    reading?.streams.push(seen);
    const pieces = [];
    stream.on("data", (piece) => pieces.push(piece));
    stream.on("trailers", (_trailers, _trailerFlags, rawTrailers) => (seen.trailers = rawTrailers));
    stream.on("end", () => {
      seen.ended = !stream.aborted && stream.rstCode === 0;
      seen.body = Buffer.concat(pieces).toString("base64");
    });
    stream.on("error", () => {});
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const results = new Array(cases.length);
  let next = 0;
  const worker = async () => {
    while (next < cases.length) {
      const index = next++;
      results[index] = await readOne(server.address().port, Buffer.from(cases[index], "base64"), sink);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  server.close();
  for (const result of results) print(result);
}

/** One exchange as this client sees it. */
function exchange(session, name, headers, pieces, trailers, resetAfterHead) {
  return new Promise((resolve) => {
    const seen = { name, status: 0, interim: [], headers: {}, trailers: {}, length: 0, sum: 0, code: 0 };
    const stream = session.request(headers, {
      endStream: pieces === undefined,
      waitForTrailers: trailers !== undefined,
    });
    stream.on("headers", (interim) => seen.interim.push(interim[":status"]));
    stream.on("response", (response) => {
      seen.status = response[":status"];
      seen.headers = response;
      if (resetAfterHead) stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.on("trailers", (received) => (seen.trailers = received));
    stream.on("data", (piece) => {
      seen.length += piece.length;
      for (const octet of piece) seen.sum = (seen.sum * 31 + octet) % 1_000_003;
    });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.on("error", () => {});
    stream.on("close", () => {
      seen.code = stream.rstCode;
      resolve(seen);
    });
    for (const piece of pieces ?? []) stream.write(piece);
    if (pieces !== undefined) stream.end();
  });
}

/** Octets that are the same on both sides. */
const octetsOf = (length, seed) => Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 7 + seed) % 251));

async function call(port) {
  const session = connectHttp2(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 20_000 } });
  session.on("error", (error) => print({ name: "session", error: String(error) }));
  const get = (path, more = {}) => ({ ":path": path, ...more });
  const post = (path, more = {}) => ({ ":method": "POST", ":path": path, ...more });
  const exchanges = [
    exchange(session, "get", get("/echo")),
    exchange(session, "head", { ":method": "HEAD", ":path": "/head" }),
    exchange(session, "upload", post("/echo"), [octetsOf(300_000, 1), octetsOf(1, 2), octetsOf(70_000, 3)]),
    exchange(session, "length", post("/echo", { "content-length": "5" }), [octetsOf(5, 4)]),
    exchange(session, "trailers", post("/trailers"), [octetsOf(1000, 5)], {
      "x-sum": "12",
      "x-more": "a, b",
    }),
    exchange(session, "interim", get("/interim")),
    exchange(session, "download", get("/download")),
    exchange(session, "reset", get("/reset")),
    exchange(session, "cancelled", get("/download"), undefined, undefined, true),
    exchange(
      session,
      "fields",
      get("/echo", { cookie: ["a=1", "b=2"], "x-large": "y".repeat(30_000), "x-octets": "\u00e9\u00ff" }),
    ),
  ];
  for (const seen of await Promise.all(exchanges)) print(seen);
  for (let at = 0; at < 300; at++) {
    const seen = await exchange(
      session,
      "again",
      get(`/echo?${at}`, { "x-changing": String(at % 40), [`x-name-${at % 30}`]: "z" }),
    );
    if (seen.status !== 200) print(seen);
  }
  const milliseconds = await new Promise((answered) =>
    session.ping((_error, duration) => answered(duration)),
  );
  print({ name: "ping", isAnswered: milliseconds >= 0 });
  await new Promise((closed) => session.close(closed));
}

/** Answers as the path says; the body's length and sum go back as fields. */
function serve() {
  const server = createServer();
  server.on("session", (session) => session.on("error", () => {}));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    const [path] = headers[":path"].split("?");
    let length = 0;
    let sum = 0;
    let trailers = {};
    stream.on("data", (piece) => {
      length += piece.length;
      for (const octet of piece) sum = (sum * 31 + octet) % 1_000_003;
    });
    stream.on("trailers", (received) => (trailers = received));
    const head = { ":status": 200, "x-method": headers[":method"], "x-cookie": headers.cookie ?? "" };
    if (path === "/reset") return stream.close(constants.NGHTTP2_REFUSED_STREAM);
    if (path === "/early") return stream.respond({ ":status": 413 }, { endStream: true });
    if (path === "/goaway") {
      stream.respond(head);
      stream.session.goaway(0);
      return stream.end("last");
    }
    if (path === "/interim") stream.additionalHeaders({ ":status": 103, link: "</a>" });
    if (path === "/download") {
      stream.respond({ ...head, "content-length": "500000" });
      return stream.end(octetsOf(500_000, 9));
    }
    stream.on("end", () => {
      stream.respond(
        { ...head, "x-length": String(length), "x-sum": String(sum), "x-large": headers["x-large"] ?? "" },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-got": trailers["x-sum"] ?? "none" }));
      stream.end("done");
    });
  });
  server.listen(0, "127.0.0.1", () => print({ port: server.address().port }));
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.read) await read(command.read);
  else if (command.call) await call(command.call);
  else serve();
}
// What was printed may still be on its way into the pipe.
process.stdout.write("", () => process.exit(0));
