// The window that we open to a peer, of a connection or of one of its streams (RFC 9113 6.9): the
// octets that may still come, and those that were read and are not announced yet. Announced in
// steps of half a window, so that small reads cost no frames.

/** One receive window. The unit is an octet of DATA, padding included. */
export class Http2ReceiveWindow {
  #size: number;
  #open: number;
  #unannounced = 0;

  constructor(size: number) {
    this.#size = size;
    this.#open = size;
  }

  /** Octets that have come and that no reader has given back. */
  get unread(): number {
    return this.#size - this.#open - this.#unannounced;
  }

  /** Takes received octets off the window; false when the window was not open so far. */
  take(octets: number): boolean {
    this.#open -= octets;
    return this.#open >= 0;
  }

  /** Gives back octets that were read. The result is for a WINDOW_UPDATE; 0 when none is worth sending yet. */
  giveBack(octets: number): number {
    const unannounced = Math.min(this.#size - this.#open, this.#unannounced + octets);
    if (unannounced <= 0 || unannounced * 2 < this.#size) {
      this.#unannounced = unannounced;
      return 0;
    }
    this.#open += unannounced;
    this.#unannounced = 0;
    return unannounced;
  }

  /** The peer knows another size from here on; the remaining window may become negative. */
  resize(size: number): void {
    this.#open += size - this.#size;
    this.#size = size;
  }
}
