// The upstream of every measurement: a raw TLS server that answers requests, a TCP server that
// streams bulk, and one that echoes. As little work as can be, so that peers are what is measured.

import { createAuthority } from "../test/support/cluster/authority.ts";
import { ANSWER_HEAD, BLOCK_LENGTH, BODY_LENGTH, bulkBlock, NUMBER_LENGTH, NUMBER_OFFSET } from "./target.ts";
import { answerCalls } from "./worker.ts";

/** Where the origin listens, and how to trust it. */
export interface OriginPorts {
  readonly tls: number;
  readonly bulk: number;
  readonly echo: number;
  readonly caPem: string;
}

interface Pending {
  rest: Uint8Array;
}

const END = Buffer.from("\r\n\r\n");
const authority = await createAuthority("bench origin");
const { certPem, keyPem } = await authority.serverCertificate(["localhost", "127.0.0.1"]);
const answer = Buffer.concat([ANSWER_HEAD, Buffer.alloc(BODY_LENGTH, "x")]);
const NOTHING = new Uint8Array(0);
let requests = 0;

const tlsServer = Bun.listen<Pending>({
  hostname: "127.0.0.1",
  port: 0,
  data: { rest: NOTHING },
  tls: { cert: certPem, key: keyPem },
  socket: {
    open(socket) {
      socket.data = { rest: NOTHING };
      socket.setNoDelay(true);
    },
    data(socket, bytes) {
      const all = socket.data.rest.length === 0 ? bytes : Buffer.concat([socket.data.rest, bytes]);
      const end = all.indexOf(END);
      socket.data.rest = end < 0 ? all : NOTHING;
      if (end < 0) return;
      requests += 1;
      answer.set(all.subarray(NUMBER_OFFSET, NUMBER_OFFSET + NUMBER_LENGTH), ANSWER_HEAD.length);
      socket.write(answer);
    },
    error() {},
  },
});

interface Transfer {
  left: number;
}

const block = bulkBlock();

function pump(socket: Bun.Socket<Transfer>): void {
  while (socket.data.left > 0) {
    // A block is sent from where the transfer stands in it.
    const from = (BLOCK_LENGTH - (socket.data.left % BLOCK_LENGTH)) % BLOCK_LENGTH;
    const sent = socket.write(from === 0 ? block : block.subarray(from));
    if (sent <= 0) return;
    socket.data.left -= sent;
  }
  socket.end();
}

/** Sends as many bytes as the client's first message says; a multiple of the block's length. */
const bulkServer = Bun.listen<Transfer>({
  hostname: "127.0.0.1",
  port: 0,
  data: { left: 0 },
  socket: {
    open(socket) {
      socket.data = { left: 0 };
    },
    data(socket, bytes) {
      if (socket.data.left === 0) socket.data.left = Number(bytes.toString("latin1"));
      pump(socket);
    },
    drain: pump,
    error() {},
  },
});

const echoServer = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    data(socket, bytes) {
      requests += 1;
      socket.write(bytes);
    },
    error() {},
  },
});

answerCalls({
  ports: (): OriginPorts => ({
    tls: tlsServer.port,
    bulk: bulkServer.port,
    echo: echoServer.port,
    caPem: authority.caPem,
  }),
  requests: () => requests,
});
