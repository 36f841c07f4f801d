// The proxy modes. What each does is design of the gateway; only the words are here.

/** Every mode, spelled as `set-proxy-mode` takes it. */
export const MODES = ["off", "passthrough", "observe", "enforce"] as const;

/** off: splice, record nothing. passthrough: splice, metadata rows. observe: judge and record, never block. enforce: everything. */
export type Mode = (typeof MODES)[number];

/** Whether an outside value names a mode. */
export function isMode(value: unknown): value is Mode {
  return MODES.includes(value as Mode);
}
