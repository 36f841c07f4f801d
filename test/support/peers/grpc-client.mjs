// The published gRPC interop list as a client in node's own runtime, through the proxy that its environment names.
// Prints one JSON line a case: { name, ok, detail }.
import { readFileSync } from "node:fs";
import grpc from "@grpc/grpc-js";

const print = (text) => process.stdout.write(`${text}\n`);
const [, , target, ca] = process.argv;
const raw = (bytes) => bytes;
const credentials = grpc.credentials.createSsl(readFileSync(ca));
const client = new grpc.Client(target, credentials, { "grpc.max_receive_message_length": -1 });
const path = (name) => `/interop.Test/${name}`;

function unary(name, bytes, metadata = new grpc.Metadata()) {
  return new Promise((resolve) => {
    const seen = {};
    const call = client.makeUnaryRequest(path(name), raw, raw, bytes, metadata, {}, (error, value) => {
      seen.error = error;
      seen.value = value;
    });
    call.on("metadata", (initial) => {
      seen.initial = initial;
    });
    // Comes last, with the trailers.
    call.on("status", (status) => resolve({ ...seen, trailers: status.metadata }));
  });
}

function collect(call) {
  return new Promise((resolve) => {
    const sizes = [];
    call.on("data", (bytes) => sizes.push(bytes.length));
    call.on("error", (error) => resolve({ sizes, error }));
    call.on("end", () => resolve({ sizes, error: null }));
  });
}

const CASES = {
  async empty_unary() {
    const { error } = await unary("Unary", Buffer.alloc(0));
    return error === null;
  },
  async large_unary() {
    return new Promise((resolve) =>
      client.makeUnaryRequest(path("Unary"), raw, raw, Buffer.alloc(271828), (error, value) =>
        resolve(!error && value.length === 271828 && value[0] === 2),
      ),
    );
  },
  async client_streaming() {
    return new Promise((resolve) => {
      const call = client.makeClientStreamRequest(path("ClientStream"), raw, raw, (error, value) =>
        resolve(!error && String(value) === "74922"),
      );
      for (const size of [27182, 8, 1828, 45904]) call.write(Buffer.alloc(size));
      call.end();
    });
  },
  async server_streaming() {
    const { sizes, error } = await collect(
      client.makeServerStreamRequest(path("ServerStream"), raw, raw, Buffer.alloc(1)),
    );
    return error === null && sizes.join() === "31415,9,2653,58979";
  },
  async ping_pong() {
    const call = client.makeBidiStreamRequest(path("Chat"), raw, raw);
    const answers = [];
    for (const size of [27182, 8, 1828, 45904]) {
      const answered = new Promise((resolve, reject) => {
        call.once("data", (bytes) => resolve(bytes.length));
        call.once("error", reject);
      });
      call.write(Buffer.alloc(size));
      answers.push(await answered);
    }
    call.end();
    const { error } = await collect(call);
    return error === null && answers.join() === "27182,8,1828,45904";
  },
  async empty_stream() {
    const call = client.makeBidiStreamRequest(path("Chat"), raw, raw);
    call.end();
    const { sizes, error } = await collect(call);
    return error === null && sizes.length === 0;
  },
  async custom_metadata() {
    const metadata = new grpc.Metadata();
    metadata.set("x-initial", "test_initial_metadata_value");
    metadata.set("x-trail-bin", Buffer.from([0xab, 0xab, 0xab]));
    const { initial, trailers } = await unary("Unary", Buffer.alloc(3), metadata);
    return (
      initial?.get("x-initial").join() === "test_initial_metadata_value" &&
      Buffer.from([0xab, 0xab, 0xab]).equals(trailers?.get("x-trail-bin")[0] ?? Buffer.alloc(0))
    );
  },
  async status_code_and_message() {
    const { error } = await unary("Status", Buffer.alloc(0));
    return error?.code === 2 && error.details === "test status message with \t and ☺";
  },
  async cancel_after_begin() {
    return new Promise((resolve) => {
      const call = client.makeClientStreamRequest(path("ClientStream"), raw, raw, (error) =>
        resolve(error?.code === 1),
      );
      call.write(Buffer.alloc(10));
      setImmediate(() => call.cancel());
    });
  },
  async timeout_on_sleeping_server() {
    const call = client.makeBidiStreamRequest(path("Sleep"), raw, raw, new grpc.Metadata(), {
      deadline: Date.now() + 300,
    });
    call.write(Buffer.alloc(10));
    const { error } = await collect(call);
    return error?.code === 4;
  },
  async refused() {
    const { error } = await unary("DeleteAll", Buffer.alloc(0));
    return error?.code === 7 ? error.details : false;
  },
};

for (const [name, run] of Object.entries(CASES)) {
  let detail = "";
  const ok = await run().catch((error) => {
    detail = String(error);
    return false;
  });
  print(JSON.stringify({ name, ok: ok !== false, detail: typeof ok === "string" ? ok : detail }));
}
client.close();
