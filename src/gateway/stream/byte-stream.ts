// The one shape that every connection has in the gateway, whether TCP or TLS,
// whether Bun's socket or Node's stream. Owns back-pressure and half-close in
// names only: adapters implement them, the engines above never see a socket.

/** A stream's calls to its reader. They come in order; nothing follows `close`. */
export interface StreamHandler {
  /** Bytes arrived. The view belongs to the reader from now on. */
  data(bytes: Uint8Array): void;
  /** A write that returned false has been flushed. */
  drain(): void;
  /** The peer will send no more bytes (FIN, close_notify); writing may still work. */
  end(): void;
  /** Both directions are gone; `error` says why when it was not orderly. */
  close(error?: Error): void;
}

/** A bidirectional byte stream with back-pressure and half-close. */
export interface ByteStream {
  /** TLS: the peer stopped sending without close_notify; the data may be incomplete (RFC 9112 9.8). */
  readonly wasCutOff: boolean;
  /** Nothing waits for the peer to take it. */
  readonly hasSentAll: boolean;
  /** Replaces the reader; a stream has exactly one. */
  setHandler(handler: StreamHandler): void;
  /** Queues bytes. False: hold back further bytes until `drain`. Ignored after `end` or `close`. */
  write(bytes: Uint8Array): boolean;
  /** Half-closes: sends the queued octets, then FIN or close_notify. */
  end(): void;
  /** Tears down both directions at once, and drops queued octets. */
  destroy(): void;
  /** Closes both directions as the kernel does for a program that dies: FIN, and under TLS no goodbye. */
  hangUp(): void;
  /** Stops delivering `data` until `resume`; the peer then meets TCP's own back-pressure. */
  pause(): void;
  resume(): void;
}

/** A handler that ignores everything; a stream has it before its reader is set. */
export const IGNORE: StreamHandler = {
  data() {},
  drain() {},
  end() {},
  close() {},
};
