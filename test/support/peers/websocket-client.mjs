// The `ws` package as client and server in node's own runtime, the client through a CONNECT tunnel of the proxy.
// Arguments: server <cert> <key> | client <proxy host:port> <target> <ca>. The client prints one JSON line.
import { readFileSync } from "node:fs";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { WebSocket, WebSocketServer } from "ws";

const print = (text) => process.stdout.write(`${text}\n`);
const [, , role, ...args] = process.argv;

function serve(certificate, key) {
  const server = https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
  new WebSocketServer({ server }).on("connection", (socket) => {
    socket.on("message", (bytes, isBinary) => socket.send(bytes, { binary: isBinary }));
    socket.on("close", () => {});
  });
  server.listen(0, "127.0.0.1", () => print(server.address().port));
}

function tunnel(proxy, target, ca) {
  const [host, port] = proxy.split(":");
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), host, () =>
      socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`),
    );
    socket.once("error", reject);
    socket.once("data", () => {
      const secure = tls.connect({
        socket,
        servername: target.split(":")[0],
        ca: readFileSync(ca),
        ALPNProtocols: ["http/1.1"],
      });
      secure.once("secureConnect", () => resolve(secure)).once("error", reject);
    });
  });
}

async function talk(proxy, target, ca) {
  const secure = await tunnel(proxy, target, ca);
  const socket = new WebSocket(`wss://${target}/chat`, { createConnection: () => secure });
  const next = (event) =>
    new Promise((resolve, reject) => socket.once(event, (...got) => resolve(got)).once("error", reject));
  await next("open");
  const echoed = [];
  for (const message of ["hello", "☺".repeat(1000), Buffer.alloc(300_000, 7)]) {
    const answer = next("message");
    socket.send(message);
    const [bytes, isBinary] = await answer;
    echoed.push(isBinary ? Buffer.compare(bytes, message) === 0 : String(bytes) === message);
  }
  const pong = next("pong");
  socket.ping("p");
  const [data] = await pong;
  const closed = next("close");
  socket.close(4001, "bye");
  const [code, reason] = await closed;
  print(JSON.stringify({ echoed, pong: String(data), code, reason: String(reason) }));
}

if (role === "server") serve(...args);
else await talk(...args);
