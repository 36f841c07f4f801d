// An embedded Kubernetes API: TLS with its own CA, real enough for kubectl, on a loopback port. It
// keeps every request that reached it, so that a test can say what did and what did not. Start one
// per test file.

import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { answer, sendJson } from "./api.ts";
import { ApiError } from "./api-error.ts";
import { certificateUser, type User, userOf } from "./authentication.ts";
import { type Credential, createAuthority } from "./authority.ts";
import { type ClusterRequest, serveConnection } from "./http-connection.ts";
import { runControllers } from "./object/controllers.ts";
import { seed } from "./object/seed.ts";
import { ObjectStore } from "./object/store.ts";
import { RequestLog } from "./request-log.ts";
import { SocketStream } from "./stream/byte-stream.ts";
import { PodRuntime } from "./stream/pod-runtime.ts";
import { ServiceAccountTokens } from "./tokens.ts";

/** How to start a cluster. */
export interface ClusterOptions {
  /** Names that the server certificate is valid for. */
  readonly names?: readonly string[];
  /** Accepts tokens beside the two built-in ones. */
  readonly tokens?: Readonly<Record<string, User>>;
}

/** A running cluster. */
export interface Cluster {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly caPem: string;
  /** A token of a member of system:masters. */
  readonly token: string;
  /** A token of a user who may only read. */
  readonly viewerToken: string;
  /** A client certificate of a member of system:masters. */
  readonly admin: Credential;
  readonly store: ObjectStore;
  readonly pods: PodRuntime;
  /** Tokens of service accounts. */
  readonly tokens: ServiceAccountTokens;
  /** Everything that reached the server, in order. */
  readonly requests: RequestLog;
  [Symbol.asyncDispose](): Promise<void>;
}

const MASTERS = ["system:masters", "system:authenticated"];

/** Starts a cluster with the namespaces, pods and objects of seed.ts. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const authority = createAuthority("kubernetes");
  const names = options.names ?? ["127.0.0.1", "localhost", "kubernetes.default.svc"];
  const serverCertificate = authority.serverCertificate(names);
  const token = `token-${crypto.randomUUID()}`;
  const viewerToken = `token-${crypto.randomUUID()}`;
  const tokens = new Map<string, User>([
    [token, { name: "operator", groups: MASTERS, by: "token" }],
    [viewerToken, { name: "viewer", groups: ["system:authenticated"], by: "token" }],
    ...Object.entries(options.tokens ?? {}),
  ]);
  const store = new ObjectStore();
  const pods = new PodRuntime();
  const issued = new ServiceAccountTokens(store);
  const requests = new RequestLog();
  const stopping = new AbortController();
  const stopControllers = runControllers(store);
  seed(store);

  const sockets = new Set<TLSSocket>();
  const server = createServer(
    {
      key: serverCertificate.keyPem,
      cert: serverCertificate.certPem,
      ca: [authority.caPem],
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
      allowHalfOpen: true,
    },
    (socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      const byCertificate = certificateUser(socket);
      const handle = async (request: ClusterRequest, reply: Parameters<typeof answer>[3]) => {
        const user = userOf(request, (text) => tokens.get(text) ?? issued.userOf(text), byCertificate);
        requests.add(request, user);
        if (user === undefined) {
          const unauthorized = new ApiError(401, "Unauthorized", "Unauthorized");
          await sendJson(reply, 401, unauthorized.toStatus());
        } else await answer({ store, pods, tokens: issued, stopped: stopping.signal }, user, request, reply);
      };
      void serveConnection(new SocketStream(socket), socket.remotePort ?? 0, handle);
    },
  );
  server.on("tlsClientError", () => {
    // A client that does not trust this CA; its own test sees why.
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    host: "127.0.0.1",
    port,
    url: `https://127.0.0.1:${port}`,
    caPem: authority.caPem,
    token,
    viewerToken,
    admin: authority.clientCertificate("kubernetes-admin", ["system:masters"]),
    store,
    pods,
    tokens: issued,
    requests,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      stopControllers();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await pods.dispose();
    },
  };
}
