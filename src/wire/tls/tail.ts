// How a TLS connection ended, read off its last encrypted octets: with the alert close_notify (RFC
// 8446 6.1) or just so. A body that lasts until the connection closes is whole only with that alert
// (RFC 9112 9.8); the sockets under the gateway report both ends alike. Nothing here is decrypted.

/** The longest alert record there is: TLS 1.2 with CBC and SHA-384. */
const KEPT = 96;
const RECORD_HEADER = 5;
const ALERT = 21;
const APPLICATION_DATA = 23;
/** TLS 1.3 disguises alerts as data: two octets, the octet of their true type, sixteen of the tag. */
const SEALED_ALERT = 19;

/** The last octets that one side of a TLS connection has sent. */
export class TlsTail {
  readonly #kept = new Uint8Array(KEPT);

  /** Takes encrypted octets as they arrived. */
  push(bytes: Uint8Array): void {
    const kept = this.#kept;
    if (bytes.length >= KEPT) {
      kept.set(bytes.subarray(bytes.length - KEPT));
      return;
    }
    kept.copyWithin(0, bytes.length);
    kept.set(bytes, KEPT - bytes.length);
  }

  /**
   * Whether the last record is an alert; one that is not close_notify has ended the connection with an error before.
   * Of TLS 1.3 this is the length of an alert, which two octets of data have too.
   */
  get isAlert(): boolean {
    const kept = this.#kept;
    for (let at = 0; at <= KEPT - RECORD_HEADER - 2; at += 1) {
      const type = kept[at];
      if ((type !== ALERT && type !== APPLICATION_DATA) || kept[at + 1] !== 3 || kept[at + 2] === 0) continue;
      const length = ((kept[at + 3] as number) << 8) | (kept[at + 4] as number);
      if (at + RECORD_HEADER + length !== KEPT) continue;
      if (type === ALERT || length === SEALED_ALERT) return true;
    }
    return false;
  }
}
