// A TCP relay on loopback that a test can make misbehave: what passes may be held, cut up, replaced
// or broken off, also under TLS, whose ends do not notice before they should.

import net from "node:net";

/** The two ends of one relayed connection. */
export interface RelayedConnection {
  /** Who connected to the relay. */
  readonly client: net.Socket;
  /** The socket that the relay connected to. */
  readonly target: net.Socket;
}

/** Called for each piece from one side; has to send it on itself. */
export type OnPiece = (piece: Buffer, connection: RelayedConnection) => void;

/** A running relay. */
export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** Connections so far, in order. */
  readonly connections: readonly RelayedConnection[];
}

const toTarget: OnPiece = (piece, { target }) => target.write(piece);
const toClient: OnPiece = (piece, { client }) => client.write(piece);

/** Relays to this port of loopback; an end on one side is an end on the other. */
export async function startRelay(
  targetPort: number,
  { fromClient = toTarget, fromTarget = toClient }: { fromClient?: OnPiece; fromTarget?: OnPiece } = {},
): Promise<Relay> {
  const connections: RelayedConnection[] = [];
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const target = net.connect({ port: targetPort, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const connection = { client, target };
    connections.push(connection);
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.on("error", () => to.destroy());
      from.on("end", () => to.end());
      from.on("close", () => to.destroy());
    }
    client.on("data", (piece: Buffer) => fromClient(piece, connection));
    target.on("data", (piece: Buffer) => fromTarget(piece, connection));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    connections,
    async [Symbol.asyncDispose]() {
      for (const { client, target } of connections) {
        client.destroy();
        target.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
