// A gRPC service in node's own runtime, with the calls of the published interop list. Prints its port.
import { readFileSync } from "node:fs";
import grpc from "@grpc/grpc-js";

const print = (text) => process.stdout.write(`${text}\n`);
const [, , certificate, key] = process.argv;
const raw = (bytes) => bytes;
const method = (path, requestStream, responseStream) => ({
  path: `/interop.Test/${path}`,
  requestStream,
  responseStream,
  requestSerialize: raw,
  requestDeserialize: raw,
  responseSerialize: raw,
  responseDeserialize: raw,
});

const server = new grpc.Server();
server.addService(
  {
    Unary: method("Unary", false, false),
    ClientStream: method("ClientStream", true, false),
    ServerStream: method("ServerStream", false, true),
    Chat: method("Chat", true, true),
    Status: method("Status", false, false),
    Sleep: method("Sleep", true, true),
  },
  {
    Unary(call, done) {
      const trailers = new grpc.Metadata();
      for (const value of call.metadata.get("x-trail-bin")) trailers.add("x-trail-bin", value);
      const initial = new grpc.Metadata();
      for (const value of call.metadata.get("x-initial")) initial.add("x-initial", value);
      call.sendMetadata(initial);
      done(null, Buffer.alloc(call.request.length, 2), trailers);
    },
    ClientStream(call, done) {
      let size = 0;
      call.on("data", (bytes) => {
        size += bytes.length;
      });
      call.on("end", () => done(null, Buffer.from(String(size))));
    },
    ServerStream(call) {
      for (const size of [31415, 9, 2653, 58979]) call.write(Buffer.alloc(size, 3));
      call.end();
    },
    Chat(call) {
      call.on("data", (bytes) => call.write(bytes));
      call.on("end", () => call.end());
    },
    Status(_call, done) {
      done({ code: 2, details: "test status message with \t and ☺" });
    },
    Sleep() {},
  },
);
const credentials = grpc.ServerCredentials.createSsl(null, [
  { cert_chain: readFileSync(certificate), private_key: readFileSync(key) },
]);
server.bindAsync("127.0.0.1:0", credentials, (error, port) => {
  if (error) throw error;
  print(port);
});
