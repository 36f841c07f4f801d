// Closes unions: a switch that forgot a member fails to compile, and if a value slips in anyway, it
// throws.

/** Call in the default branch of a switch over a closed union. Throws on reach. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
