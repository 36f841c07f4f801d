// Runs inside a sandbox before the agent's command, in its place: nothing of the agent's can come
// before it.

/** Proves that nothing secret shows, then becomes the command. */
export const PREFLIGHT =
  'while [ "$1" != -- ]; do if [ -r "$1" ] && { [ ! -d "$1" ] || [ -n "$(ls -A "$1" 2>/dev/null)" ]; }; then echo "iddio: the sandbox is not closed: $1 is readable" >&2; exit 126; fi; shift; done; shift; [ -n "$(command -v -- "$1")" ] || { echo "iddio: the program \'$1\' is not in the sandbox; where it is installed in a folder of yours, add: --ro <folder>" >&2; exit 127; }; exec "$@"';

/**
 * Run before that on Linux: proves that every place before the first `--` is mounted, and from itself. Between the look
 * at a folder that another run may write and the mount, a link may have come there, and the mount would show
 * where it leads. The kernel's list of mounts tells what was mounted: the place below its parent's, or what own-mounts.ts
 * foretold. Drops the places.
 */
export const MOUNTS_ARE_OWN = `LC_ALL=C command -p awk 'BEGIN {
  for (i = 1; ARGV[i] != "--"; i++) if (ARGV[i] ~ / /) exact[ARGV[i]] = 1; else want[ARGV[i]] = 1
  while ((getline line < "/proc/self/mountinfo") > 0) {
    split(line, f, " ")
    up[f[1]] = f[2]; dev[f[1]] = f[3]; root[f[1]] = f[4]; at[f[1]] = f[5]
    last[f[5]] = f[3] " " f[4] " " f[5]
  }
  for (it in exact) { split(it, f, " "); if (last[f[3]] != it) exit 1 }
  for (id in at) if (at[id] in want) {
    p = up[id]
    if (!(p in root)) exit 1
    own = (root[p] == "/" ? "" : root[p]) (at[p] == "/" ? at[id] : substr(at[id], length(at[p]) + 1))
    if (root[id] != (own == "" ? "/" : own) || dev[id] != dev[p]) exit 1
    seen[at[id]] = 1
  }
  for (place in want) if (!(place in seen)) exit 1
}' "$@" || { echo "iddio: the sandbox is not closed: a place in the project was changed while it was laid out; start again" >&2; exit 126; }; while [ "$1" != -- ]; do shift; done; shift; `;

/** Writes a path as the kernel's list of mounts has it. */
export function asMountPath(path: string): string {
  return path.replace(/[ \t\n\\]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, "0")}`);
}
