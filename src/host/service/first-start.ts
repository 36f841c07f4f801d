// How long a program that has never run here may take until it answers. Shared by every caller that
// starts one.

/** macOS looks through a new program of 100 MB for malware before its first start; that can take many seconds. */
export const FIRST_START_MS = process.platform === "darwin" ? 30_000 : 10_000;
