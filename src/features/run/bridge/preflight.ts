// Runs inside a sandbox before the agent's command, in its place: nothing of the agent's can come
// before it.

/** Proves that nothing secret shows, then becomes the command. */
export const PREFLIGHT =
  'while [ "$1" != -- ]; do if [ -r "$1" ] && { [ ! -d "$1" ] || [ -n "$(ls -A "$1" 2>/dev/null)" ]; }; then echo "iddio: the sandbox is not closed: $1 is readable" >&2; exit 126; fi; shift; done; shift; exec "$@"';
