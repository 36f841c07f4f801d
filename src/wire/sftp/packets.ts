// SFTP version 3 (draft-ietf-secsh-filexfer-02 and OpenSSH's PROTOCOL): frames out of a stream,
// requests out of frames, and the one answer that a gate gives itself. Bytes in, values out; a
// frame that is not whole is never half read.

/** The longest packet that OpenSSH's server takes. */
const PACKET_MAX = 256 * 1024 + 1024;

/** Takes a stream apart into packets, each with its length in front. */
export class SftpFrames {
  #pending: Buffer[] = [];
  #size = 0;
  #problem: string | undefined;

  /** Why no more packets come: one is too long or empty. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The packets that ended in this piece. */
  push(bytes: Uint8Array): readonly Buffer[] {
    if (this.#problem !== undefined) return [];
    this.#pending.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#size += bytes.length;
    const packets: Buffer[] = [];
    for (;;) {
      if (this.#size < 4) break;
      const head = this.#peek(4);
      const length = head.readUInt32BE(0);
      if (length < 1 || length > PACKET_MAX) {
        this.#problem = `a packet of ${length} bytes`;
        break;
      }
      if (this.#size < 4 + length) break;
      packets.push(this.#take(4 + length));
    }
    return packets;
  }

  #peek(length: number): Buffer {
    const [first] = this.#pending;
    if (first !== undefined && first.length >= length) return first;
    this.#pending = [Buffer.concat(this.#pending, this.#size)];
    return this.#pending[0] as Buffer;
  }

  #take(length: number): Buffer {
    const first = this.#peek(length);
    this.#size -= length;
    if (first.length === length) this.#pending.shift();
    else this.#pending[0] = first.subarray(length);
    return first.subarray(0, length);
  }
}

/** Types of packets. */
export const SFTP = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  extended: 200,
} as const;

/** Flags of an open. */
export const OPEN_FLAGS = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

/** Reads the fields of a packet in their order; `isOver` when it was too short. */
export class SftpReader {
  readonly #packet: Buffer;
  #at = 5;
  #isOver = false;

  constructor(packet: Buffer) {
    this.#packet = packet;
  }

  get type(): number {
    return this.#packet[4] ?? 0;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  number(): number {
    if (this.#at + 4 > this.#packet.length) {
      this.#isOver = true;
      return 0;
    }
    const value = this.#packet.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  /** 64 bits; inexact beyond 2^53. */
  big(): number {
    const high = this.number();
    return high * 2 ** 32 + this.number();
  }

  bytes(): Buffer {
    const length = this.number();
    if (this.#isOver || this.#at + length > this.#packet.length) {
      this.#isOver = true;
      return Buffer.alloc(0);
    }
    const value = this.#packet.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  /** Text that is no UTF-8 gets replacement characters, which no rule about names lets pass. */
  text(): string {
    return this.bytes().toString("utf8");
  }

  /** How many bytes the next string has, without taking it. */
  peekLength(): number {
    return this.#at + 4 > this.#packet.length ? 0 : this.#packet.readUInt32BE(this.#at);
  }
}

/** A STATUS that refuses (SSH_FX_PERMISSION_DENIED). */
export function refusalPacket(id: number, message: string): Buffer {
  const text = Buffer.from(message, "utf8");
  const packet = Buffer.alloc(4 + 1 + 4 + 4 + 4 + text.length + 4);
  packet.writeUInt32BE(packet.length - 4, 0);
  packet[4] = SFTP.status;
  packet.writeUInt32BE(id, 5);
  packet.writeUInt32BE(3, 9);
  packet.writeUInt32BE(text.length, 13);
  text.copy(packet, 17);
  return packet;
}
