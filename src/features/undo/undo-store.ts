// The ways back on disk: one file each in `undo/`, encrypted with a key of this machine
// (`undo.key`, beside `ca.key`), because an object may hold a secret. AES-256-GCM, a nonce a file,
// the id bound as associated data: a file that was renamed or changed is no entry. Owns how long
// they are kept.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { UndoEntry } from "../../api/undo-report.ts";
import { syncOrdered } from "../../state/durable.ts";

const NAME = /^undo_[0-9a-f]{8}\.bin$/;
const NONCE = 12;
const TAG = 16;

/** The store of one daemon. */
export class UndoStore {
  readonly #directory: string;
  readonly #keyPath: string;
  #key: Promise<Buffer> | undefined;

  constructor(directory: string, keyPath: string) {
    this.#directory = directory;
    this.#keyPath = keyPath;
  }

  /** Writes an entry, on disk when it resolves. Throws when that fails. */
  async put(entry: UndoEntry): Promise<void> {
    const key = await this.#readKey();
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    cipher.setAAD(Buffer.from(entry.id));
    const sealed = Buffer.concat([cipher.update(JSON.stringify(entry), "utf8"), cipher.final()]);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const path = join(this.#directory, `${entry.id}.bin`);
    const beside = `${path}.${randomBytes(4).toString("hex")}`;
    const file = await open(beside, "wx", 0o600);
    try {
      await file.writeFile(Buffer.concat([nonce, cipher.getAuthTag(), sealed]));
      await syncOrdered(file);
    } finally {
      await file.close();
    }
    await rename(beside, path);
  }

  /** Every entry, newest first. */
  async list(): Promise<readonly UndoEntry[]> {
    const names = await readdir(this.#directory).catch(() => []);
    const entries: UndoEntry[] = [];
    for (const name of names.filter((each) => NAME.test(each))) {
      const entry = await this.#read(name.slice(0, -".bin".length));
      if (entry !== undefined) entries.push(entry);
    }
    return entries.sort((one, other) => other.created_ms - one.created_ms);
  }

  async #read(id: string): Promise<UndoEntry | undefined> {
    try {
      const key = await this.#readKey();
      const bytes = await readFile(join(this.#directory, `${id}.bin`));
      const opened = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE));
      opened.setAAD(Buffer.from(id));
      opened.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
      const text = Buffer.concat([opened.update(bytes.subarray(NONCE + TAG)), opened.final()]).toString(
        "utf8",
      );
      return JSON.parse(text) as UndoEntry;
    } catch {
      return undefined;
    }
  }

  /** Removes one, or all; how many. */
  async clear(id?: string): Promise<number> {
    const names = await readdir(this.#directory).catch(() => []);
    const chosen = names.filter((name) => (id === undefined ? NAME.test(name) : name === `${id}.bin`));
    for (const name of chosen) await rm(join(this.#directory, name), { force: true });
    return chosen.length;
  }

  /** Removes older entries. */
  async sweep(keepMs: number): Promise<void> {
    for (const name of await readdir(this.#directory).catch(() => [])) {
      const path = join(this.#directory, name);
      const facts = await stat(path).catch(() => undefined);
      if (facts !== undefined && Date.now() - facts.mtimeMs > keepMs) await rm(path, { force: true });
    }
  }

  #readKey(): Promise<Buffer> {
    this.#key ??= readOrMakeKey(this.#keyPath);
    this.#key.catch(() => {
      this.#key = undefined;
    });
    return this.#key;
  }
}

async function readOrMakeKey(path: string): Promise<Buffer> {
  const known = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
  if (known !== undefined) {
    if (known.length !== 32) throw new Error(`'${path}' is no key`);
    return known;
  }
  const key = randomBytes(32);
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(key);
    await syncOrdered(file);
  } finally {
    await file.close();
  }
  return key;
}
