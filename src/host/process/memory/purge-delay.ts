// The variable by which the allocator is told how long to keep freed memory. In a file of its own,
// and without imports: a session of SSH starts with it, and the daemon anew because of it.

/** Read before a program begins; the value is in milliseconds. */
export const PURGE_DELAY = "MIMALLOC_PURGE_DELAY";
