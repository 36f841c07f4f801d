// How long the gateway waits, for whom. In one place, so that one can see that every wait ends, and
// so that a test can be less patient. A quiet but intact connection has no bound: an upstream that
// has its request (watches, long polls), a tunnel, a client's kept connection.

/** Milliseconds; read again for every wait. */
export const PATIENCE = {
  /** A new connection's first byte. Pools connect before they need to. */
  connectionMs: 60_000,
  /** A new connection's first head, from its first byte on. */
  firstHeadMs: 30_000,
  /** The first byte inside a tunnel that is inspected; pools that connect before they need to are patient. */
  tunnelMs: 5 * 60_000,
  /** A TLS hello, from its first byte on. */
  helloMs: 30_000,
  /** The client's side of a TLS handshake, from its hello on. */
  handshakeMs: 30_000,
  /** A kept connection's next request. */
  nextRequestMs: 15 * 60_000,
  /** A message's head, from its first byte on, from client and upstream alike. */
  headMs: 60_000,
  /** The whole of a body that must be read before its request can be judged. */
  judgedBodyMs: 5 * 60_000,
  /** Room to look at a body, when as many are looked at as there is memory for. */
  roomMs: 20_000,
  /** The addresses of a name. */
  resolveMs: 20_000,
  /** A corporate proxy's answer to CONNECT, for which it has to dial. */
  proxyAnswerMs: 30_000,
  /** The request of a client that `doctor --live` has sent. */
  probedRequestMs: 20_000,
  /** TCP, and then TLS, with an upstream. */
  connectMs: 20_000,
  /** HTTP/2: how often a connection is looked at for the waits below. */
  http2ProbeMs: 10_000,
  /** HTTP/2: a quiet connection with streams is asked for a sign of life after this time, as client-go and grpc do. */
  http2QuietMs: 30_000,
  /** HTTP/2: the answer to that. */
  http2AnswerMs: 20_000,
  /** HTTP/2: the acknowledgement of our SETTINGS, from the peer's first byte on. */
  http2SettingsMs: 30_000,
  /** HTTP/2: some movement, while the peer's closed windows make us keep more than paused streams account for. */
  http2StarvedMs: 5 * 60_000,
  /** HTTP/2: the same while memory is short, so that nothing waits for minutes with megabytes. */
  http2TightMs: 10_000,
};
