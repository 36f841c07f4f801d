// The guard's tables in state.db: the one enrolled factor, hashes of its recovery codes, and the
// texts of the files that were last approved. The guard knows what a record means; one that cannot
// be read is damaged, never absent.

import type { Database } from "bun:sqlite";

/** A factor as it was enrolled. */
export type FactorRecord =
  | {
      readonly kind: "totp";
      readonly secret: string;
      readonly counter: number;
      readonly decidesFromMs: number;
    }
  | {
      readonly kind: "passkey";
      readonly credentialId: string;
      /** COSE key, base64url. */
      readonly publicKey: string;
      readonly signatures: number;
      /** Of the page; a passkey works for this origin only. */
      readonly port: number;
      readonly decidesFromMs: number;
    };

interface Row {
  kind: string;
  json: string;
  decides_from_ms: number;
}

/** The guard's tables. */
export class GuardStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The factor, nothing, or `damaged`. */
  factor(): FactorRecord | "damaged" | undefined {
    try {
      const row = this.#database
        .query<Row, []>("SELECT kind, json, decides_from_ms FROM guard_factor WHERE id = 1")
        .get();
      return row === null ? undefined : (parseFactor(row) ?? "damaged");
    } catch {
      return "damaged";
    }
  }

  /** Replaces the factor, and with `recovery` the hashes of the codes, in one step. */
  put(factor: FactorRecord, recovery?: readonly string[]): void {
    const { kind, decidesFromMs, ...rest } = factor;
    this.#database.transaction(() => {
      this.#database
        .query("INSERT OR REPLACE INTO guard_factor (id, kind, json, decides_from_ms) VALUES (1, ?1, ?2, ?3)")
        .run(kind, JSON.stringify(rest), decidesFromMs);
      if (recovery !== undefined) this.putRecovery(recovery);
    })();
  }

  /** Forgets factor and codes. */
  clear(): void {
    this.#database.transaction(() => {
      this.#database.run("DELETE FROM guard_factor");
      this.#database.run("DELETE FROM guard_recovery");
    })();
  }

  /** Replaces the hashes of the recovery codes. */
  putRecovery(hashes: readonly string[]): void {
    this.#database.transaction(() => {
      this.#database.run("DELETE FROM guard_recovery");
      for (const hash of hashes)
        this.#database.query("INSERT INTO guard_recovery (hash) VALUES (?1)").run(hash);
    })();
  }

  /** Takes a recovery code away; false when there is none with this hash. */
  takeRecovery(hash: string): boolean {
    return this.#database.query("DELETE FROM guard_recovery WHERE hash = ?1").run(hash).changes === 1;
  }

  /** How many recovery codes are left. */
  recoveryCount(): number {
    return this.#database.query<{ n: number }, []>("SELECT count(*) AS n FROM guard_recovery").get()?.n ?? 0;
  }

  /** The text of a file that was last in force with consent. */
  approvedText(name: string): string | undefined {
    return this.#database
      .query<{ text: string }, [string]>("SELECT text FROM approved_text WHERE name = ?1")
      .get(name)?.text;
  }

  /** Remembers the text of a file as approved. */
  approveText(name: string, text: string): void {
    this.#database.query("INSERT OR REPLACE INTO approved_text (name, text) VALUES (?1, ?2)").run(name, text);
  }
}

function parseFactor({ kind, json, decides_from_ms }: Row): FactorRecord | undefined {
  const value = JSON.parse(json) as Record<string, unknown>;
  const text = (name: string) =>
    typeof value[name] === "string" && value[name] !== "" ? value[name] : undefined;
  const count = (name: string) => (Number.isSafeInteger(value[name]) ? (value[name] as number) : undefined);
  if (kind === "totp") {
    const [secret, counter] = [text("secret"), count("counter")];
    if (secret === undefined || counter === undefined) return undefined;
    return { kind, secret, counter, decidesFromMs: decides_from_ms };
  }
  const [credentialId, publicKey] = [text("credentialId"), text("publicKey")];
  const [signatures, port] = [count("signatures"), count("port")];
  if (kind !== "passkey" || credentialId === undefined || publicKey === undefined) return undefined;
  if (signatures === undefined || port === undefined) return undefined;
  return { kind, credentialId, publicKey, signatures, port, decidesFromMs: decides_from_ms };
}
