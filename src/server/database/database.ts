// The contract of the server's database, and how its rows are read. There is no way to a query
// without saying for whom it is: one tenant's rows, or the few columns that name tenants. The
// database itself decides which rows a query sees (row level security); nothing here or above
// filters by tenant for safety.

/** A value that goes into a query. Lists and objects go as JSON text. */
export type SqlValue = string | number | boolean | null;

/** A row as it comes back. 64-bit numbers and counts come as text or number, whichever driver answers: use `numberOf`. */
export type Row = Readonly<Record<string, unknown>>;

/** An open transaction. */
export interface Tx {
  /** Runs one statement with `$1`, `$2` … and gives its rows. */
  rows(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]>;
}

/** One of the two roles that the server ever acts as. Neither owns anything. */
export type Scope =
  /** Every table, and of each the rows of this tenant only. */
  | { readonly tenant: string }
  /** Ids, names and ticks of all tenants, and nothing else. */
  | "scan";

/** The database. */
export interface Database {
  readonly kind: "postgres" | "embedded";
  /** Runs `work` in a transaction; an error rolls back. */
  run<T>(scope: Scope, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** As the role that owns the tables: migrations and the upkeep of partitions, never an answer to a request. */
  asOwner<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The role that answers requests, and the one that looks over tenants. */
export const APP_ROLE = "iddio_app";

/** Reads what names tenants. */
export const SCAN_ROLE = "iddio_scan";

/** The statement that begins every transaction: the later ones can do no more than the role. */
export function scopeStatement(scope: Scope): readonly [text: string, values: readonly SqlValue[]] {
  const [role, tenant] = scope === "scan" ? [SCAN_ROLE, ""] : [APP_ROLE, scope.tenant];
  return ["select set_config('role', $1, true), set_config('app.tenant', $2, true)", [role, tenant]];
}

/** A number of a row. Throws when the column is none. */
export function numberOf(row: Row, column: string): number {
  const value = row[column];
  const number = typeof value === "string" || typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || Number.isNaN(number)) throw new Error(`column '${column}' is no number`);
  return number;
}

/** A number of a row, or undefined where it is null. */
export function maybeNumber(row: Row, column: string): number | undefined {
  return row[column] === null || row[column] === undefined ? undefined : numberOf(row, column);
}

/** A text of a row. Throws when the column is none. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new Error(`column '${column}' is no text`);
  return value;
}

/** A text of a row, or undefined where it is null. */
export function maybeText(row: Row, column: string): string | undefined {
  return row[column] === null || row[column] === undefined ? undefined : textOf(row, column);
}

/** A flag of a row. */
export function flagOf(row: Row, column: string): boolean {
  return row[column] === true;
}

/** The SQLSTATE of a query's error; undefined for other errors. */
export function sqlState(error: unknown): string | undefined {
  const { errno, code } = error as { errno?: unknown; code?: unknown };
  const isState = (value: unknown): value is string =>
    typeof value === "string" && /^[0-9A-Z]{5}$/.test(value);
  if (isState(errno)) return errno;
  return isState(code) ? code : undefined;
}

/** SQLSTATE of a row that exists already. */
export const UNIQUE_VIOLATION = "23505";
