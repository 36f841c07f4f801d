// Stands between an SFTP client and the server: each operation that reads or changes a file waits
// for the daemon's answer, in the order in which they were sent; a refused one gets a STATUS of its
// own and never reaches the server. Keeps count of every file: bytes, and a digest where they came
// in order.

import type { FileOperation } from "../../../protocols/ssh/file-operation.ts";
import { OPEN_FLAGS, refusalPacket, SFTP, SftpFrames, SftpReader } from "../../../wire/sftp/packets.ts";
import type { ChannelEnd } from "../link.ts";
import type { WishAnswer } from "./daemon-link.ts";

/** The parts that the gate works with. */
export interface SftpGateParts {
  ask(
    operation: FileOperation,
    paths: readonly string[],
  ): { readonly id: number; readonly answer: Promise<WishAnswer> };
  /** Nobody waits for the answer any more. */
  leave(id: number): void;
  /** An operation that went on has ended. */
  end(id: number, end: ChannelEnd): void;
  toServer(bytes: Uint8Array): Promise<void>;
  toClient(bytes: Uint8Array): Promise<void>;
  /** A refusal as a text: clients show a STATUS by its number alone. */
  tell(text: string): Promise<void>;
  /** The stream cannot be read any more. */
  cut(reason: string): void;
}

/** One file that is being read or written. */
interface OpenFile {
  readonly ask: number;
  readonly path: string;
  readonly isWritten: boolean;
  bytes: number;
  /** Where the next byte in order would be; undefined once one was not. */
  next: number | undefined;
  readonly hash: Bun.CryptoHasher;
}

const OPEN_MAX = 4096;

/** The gate of one channel. */
export class SftpGate {
  readonly #parts: SftpGateParts;
  readonly #fromClient = new SftpFrames();
  readonly #fromServer = new SftpFrames();
  readonly #opening = new Map<number, OpenFile>();
  readonly #files = new Map<string, OpenFile>();
  readonly #reading = new Map<number, { readonly file: OpenFile; readonly offset: number }>();
  /** Operations without a handle, by request, until their STATUS. */
  readonly #running = new Map<number, number>();
  readonly #asking = new Set<number>();
  #isCut = false;

  constructor(parts: SftpGateParts) {
    this.#parts = parts;
  }

  /** Bytes of the client. */
  async client(bytes: Uint8Array): Promise<void> {
    for (const packet of this.#fromClient.push(bytes)) if (!this.#isCut) await this.#request(packet);
    if (this.#fromClient.problem !== undefined) this.#cut(this.#fromClient.problem);
  }

  /** Bytes of the server. */
  async server(bytes: Uint8Array): Promise<void> {
    const packets = this.#fromServer.push(bytes);
    for (const packet of packets) this.#answer(packet);
    if (this.#fromServer.problem !== undefined) return this.#cut(this.#fromServer.problem);
    if (packets.length > 0 && !this.#isCut)
      await this.#parts.toClient(packets.length === 1 ? (packets[0] as Buffer) : Buffer.concat(packets));
  }

  /** The channel is closed: open files have broken off. */
  close(): void {
    for (const id of this.#asking) this.#parts.leave(id);
    for (const file of [...this.#opening.values(), ...this.#files.values()])
      this.#endFile(file, "the connection ended before the file was closed");
    for (const id of this.#running.values())
      this.#parts.end(id, { code: undefined, toRemote: 0, fromRemote: 0 });
    this.#opening.clear();
    this.#files.clear();
    this.#running.clear();
  }

  async #request(packet: Buffer): Promise<void> {
    const reader = new SftpReader(packet);
    const { type } = reader;
    if (type === SFTP.init) return this.#parts.toServer(packet);
    const id = reader.number();
    if (reader.isOver) return this.#cut("a request without a number");
    // The answer to one of two with the same number would be taken for that to the other.
    if (this.#opening.has(id) || this.#running.has(id) || this.#reading.has(id))
      return this.#cut("a request with a number that waits for its answer");
    switch (type) {
      case SFTP.close: {
        const key = reader.bytes().toString("latin1");
        const file = this.#files.get(key);
        this.#files.delete(key);
        if (file) this.#endFile(file);
        return this.#parts.toServer(packet);
      }
      case SFTP.read: {
        const file = this.#files.get(reader.bytes().toString("latin1"));
        if (file && this.#reading.size < OPEN_MAX) this.#reading.set(id, { file, offset: reader.big() });
        return this.#parts.toServer(packet);
      }
      case SFTP.write: {
        const file = this.#files.get(reader.bytes().toString("latin1"));
        const offset = reader.big();
        const data = reader.bytes();
        // The server would refuse it, too: nothing was opened under this handle for writing.
        if (file === undefined || !file.isWritten)
          return this.#refuse(id, "iddio refused a write to a file that was not opened for it");
        count(file, offset, data);
        return this.#parts.toServer(packet);
      }
      case SFTP.lstat:
      case SFTP.stat:
      case SFTP.fstat:
      case SFTP.opendir:
      case SFTP.readdir:
      case SFTP.realpath:
      case SFTP.readlink:
        return this.#parts.toServer(packet);
      case SFTP.open: {
        const path = reader.text();
        const flags = reader.number();
        if (reader.isOver) return this.#cut("an open that is not whole");
        const isWritten = (flags & ~(OPEN_FLAGS.read | OPEN_FLAGS.exclusive)) !== 0;
        return this.#open(packet, id, path, {
          isWritten,
          isRead: !isWritten || (flags & OPEN_FLAGS.read) !== 0,
        });
      }
      case SFTP.fsetstat: {
        const file = this.#files.get(reader.bytes().toString("latin1"));
        const change = attributeChange(reader);
        // Anyone who may write a file may set its mode and times; its owner is another matter.
        if (file?.isWritten && change === "chmod") return this.#parts.toServer(packet);
        return this.#judged(packet, id, change, [file?.path ?? "\uFFFD"], reader.isOver);
      }
      case SFTP.setstat: {
        const path = reader.text();
        return this.#judged(packet, id, attributeChange(reader), [path], reader.isOver);
      }
      case SFTP.remove:
        return this.#judged(packet, id, "remove", [reader.text()], reader.isOver);
      case SFTP.rmdir:
        return this.#judged(packet, id, "rmdir", [reader.text()], reader.isOver);
      case SFTP.mkdir:
        return this.#judged(packet, id, "mkdir", [reader.text()], reader.isOver);
      case SFTP.rename:
        return this.#judged(packet, id, "rename", [reader.text(), reader.text()], reader.isOver);
      case SFTP.symlink:
        return this.#judged(packet, id, "symlink", [reader.text(), reader.text()], reader.isOver);
      case SFTP.extended:
        return this.#extended(packet, id, reader);
      default:
        return this.#judged(packet, id, "other", [`type ${type}`], reader.isOver);
    }
  }

  #extended(packet: Buffer, id: number, reader: SftpReader): Promise<void> {
    const name = reader.text();
    switch (name) {
      case "statvfs@openssh.com":
      case "fstatvfs@openssh.com":
      case "limits@openssh.com":
      case "expand-path@openssh.com":
      case "home-directory":
      case "users-groups-by-id@openssh.com":
      case "fsync@openssh.com":
        return this.#parts.toServer(packet);
      case "posix-rename@openssh.com":
        return this.#judged(packet, id, "rename", [reader.text(), reader.text()], reader.isOver);
      case "hardlink@openssh.com":
        return this.#judged(packet, id, "link", [reader.text(), reader.text()], reader.isOver);
      case "lsetstat@openssh.com": {
        const path = reader.text();
        return this.#judged(packet, id, attributeChange(reader), [path], reader.isOver);
      }
      case "copy-data": {
        const from = this.#files.get(reader.bytes().toString("latin1"));
        reader.big();
        reader.big();
        const to = this.#files.get(reader.bytes().toString("latin1"));
        // Both files were opened, and judged, before.
        if (from !== undefined && to?.isWritten === true && !reader.isOver) {
          to.next = undefined;
          return this.#parts.toServer(packet);
        }
        return this.#refuse(id, "iddio refused a copy between files that were not opened for it");
      }
      default:
        return this.#judged(packet, id, "other", [name], reader.isOver);
    }
  }

  async #open(
    packet: Buffer,
    id: number,
    path: string,
    { isWritten, isRead }: { readonly isWritten: boolean; readonly isRead: boolean },
  ): Promise<void> {
    if (this.#files.size + this.#opening.size >= OPEN_MAX)
      return this.#refuse(id, "iddio refused it: too many files are open");
    if (isRead && isWritten) {
      // One handle for both: whoever may only write must not read by it.
      const [reading, may] = await this.#ask("download", [path]);
      if (may.kind === "refuse") return this.#refuse(id, may.text);
      this.#parts.end(reading, { code: 0, toRemote: 0, fromRemote: 0 });
    }
    const [ask, answer] = await this.#ask(isWritten ? "upload" : "download", [path]);
    if (answer.kind === "refuse") return this.#refuse(id, answer.text);
    this.#opening.set(id, {
      ask,
      path,
      isWritten,
      bytes: 0,
      next: 0,
      hash: new Bun.CryptoHasher("sha256"),
    });
    await this.#parts.toServer(packet);
  }

  async #judged(
    packet: Buffer,
    id: number,
    operation: FileOperation,
    paths: readonly string[],
    isShort: boolean,
  ): Promise<void> {
    if (isShort) return this.#cut("a request that is not whole");
    const [ask, answer] = await this.#ask(operation, paths);
    if (answer.kind === "refuse") return this.#refuse(id, answer.text);
    this.#running.set(id, ask);
    await this.#parts.toServer(packet);
  }

  async #ask(operation: FileOperation, paths: readonly string[]): Promise<readonly [number, WishAnswer]> {
    const asked = this.#parts.ask(operation, paths);
    this.#asking.add(asked.id);
    const answer = await asked.answer;
    this.#asking.delete(asked.id);
    return [asked.id, answer];
  }

  async #refuse(id: number, text: string): Promise<void> {
    await this.#parts.tell(text);
    await this.#parts.toClient(refusalPacket(id, text));
  }

  #answer(packet: Buffer): void {
    const reader = new SftpReader(packet);
    const { type } = reader;
    const id = reader.number();
    if (type === SFTP.version) {
      // Another version has other packets.
      if (id !== 3) this.#cut(`the server speaks version ${id} of SFTP`);
      return;
    }
    const opened = this.#opening.get(id);
    if (opened !== undefined) {
      this.#opening.delete(id);
      if (type === SFTP.handle) this.#files.set(reader.bytes().toString("latin1"), opened);
      else this.#endFile(opened, "the server did not open it");
      return;
    }
    const running = this.#running.get(id);
    if (running !== undefined) {
      this.#running.delete(id);
      const code = type === SFTP.status ? reader.number() : 0;
      this.#parts.end(running, {
        code,
        toRemote: 0,
        fromRemote: 0,
        ...(code === 0 ? {} : { reason: "the server refused it" }),
      });
      return;
    }
    const read = this.#reading.get(id);
    if (read === undefined) return;
    this.#reading.delete(id);
    if (type === SFTP.data) count(read.file, read.offset, reader.bytes());
  }

  #endFile(file: OpenFile, reason?: string): void {
    const digest = file.next === undefined ? {} : { sha256: file.hash.digest("hex") };
    const [toRemote, fromRemote] = file.isWritten ? [file.bytes, 0] : [0, file.bytes];
    this.#parts.end(file.ask, {
      code: reason === undefined ? 0 : undefined,
      toRemote,
      fromRemote,
      ...digest,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  #cut(reason: string): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#parts.cut(reason);
  }
}

function count(file: OpenFile, offset: number, data: Uint8Array): void {
  file.bytes += data.length;
  if (file.next !== offset) file.next = undefined;
  if (file.next === undefined) return;
  file.hash.update(data);
  file.next = offset + data.length;
}

/** Size 1, owner 2, mode 4, times 8, in this order. */
function attributeChange(reader: SftpReader): FileOperation {
  const flags = reader.number();
  if ((flags & ~0xf) !== 0) return "other";
  if (flags & 1) {
    reader.big();
    return "upload";
  }
  if (flags & 2) return "chown";
  if (flags & 4 && (reader.number() & 0o6000) !== 0) return "chown";
  return "chmod";
}
