// The words of programs that start another one named in their words, as a table: which options take
// the next word, which start nothing, and how many words come before the other program.

/** The options and words of one wrapper. */
export interface Grammar {
  /** Options that take the next word, or the rest of theirs; without dashes, short ones one letter. */
  readonly values?: string;
  readonly switches?: string;
  /** Short options whose value can only be in the same word. */
  readonly attached?: string;
  /** `NAME=value` words come before the program. */
  readonly hasAssignments?: boolean;
  /** How many words of its own come before the program. */
  readonly operands?: number;
  /** Options with which it starts nothing. */
  readonly inert?: string;
  /** Options whose value is a script. */
  readonly scripts?: string;
  /** The program's words are joined and read by a shell. */
  readonly isShell?: boolean;
  /** Further words are added when it runs. */
  readonly appends?: boolean;
  /** The option whose value is replaced in every word. */
  readonly replace?: string;
  /** Single-dash long options. */
  readonly hasNumbers?: boolean;
}

/** The wrappers whose words are read by a grammar, by name. */
export const GRAMMARS: Readonly<Record<string, Grammar>> = {
  sudo: {
    values:
      "u user g group h host p prompt C close-from r role t type T command-timeout D chdir R chroot U other-user a c",
    switches:
      "A askpass B bell b background E preserve-env H set-home n non-interactive P preserve-groups S stdin k reset-timestamp N no-update s shell i login",
    inert: "e edit K remove-timestamp l list v validate V version help",
    hasAssignments: true,
  },
  doas: { values: "u C a", switches: "n s L", hasAssignments: true },
  env: {
    values: "u unset C chdir a argv0",
    switches:
      "i ignore-environment 0 null v debug block-signal default-signal ignore-signal list-signal-handling -",
    inert: "help version",
    scripts: "S split-string",
    hasAssignments: true,
  },
  command: { switches: "p", inert: "v V" },
  builtin: {},
  exec: { values: "a", switches: "c l" },
  nohup: { inert: "help version" },
  setsid: { switches: "c ctty f fork w wait", inert: "h help V version" },
  stdbuf: { values: "i input o output e error", inert: "help version" },
  nice: { values: "n adjustment", hasNumbers: true, inert: "help version" },
  ionice: { values: "c class n classdata", switches: "t ignore", inert: "p P u h V" },
  chrt: { switches: "a b f i o r v R", operands: 1, inert: "p m h V" },
  taskset: { switches: "a c", operands: 1, inert: "p h V" },
  timeout: {
    values: "k kill-after s signal",
    switches: "f foreground p preserve-status v verbose",
    operands: 1,
    inert: "help version",
  },
  gtimeout: {
    values: "k kill-after s signal",
    switches: "foreground preserve-status v verbose",
    operands: 1,
  },
  time: {
    values: "f format o output",
    switches: "p portability v verbose a append q quiet",
    inert: "V version h help",
  },
  watch: {
    values: "n interval q equexit s shotsdir",
    switches:
      "b beep c color C no-color d differences e errexit g chgexit p precise r no-rerun t no-title w no-wrap x exec",
    inert: "h help v version",
    isShell: true,
  },
  xargs: {
    values:
      "a arg-file d delimiter E I L max-lines n max-args P max-procs s max-chars R S J process-slot-var",
    attached: "i l e",
    switches: "0 null r no-run-if-empty t verbose p interactive x exit o open-tty",
    inert: "help version show-limits",
    appends: true,
    replace: "I",
  },
  flock: {
    values: "w wait timeout E conflict-exit-code",
    switches: "s shared x e exclusive n nb nonblock o close F no-fork verbose u unlock",
    operands: 1,
    scripts: "c command",
    inert: "h help V version",
  },
  chroot: { values: "userspec groups", switches: "skip-chdir", operands: 1, inert: "help version" },
  su: {
    values: "g group G supp-group s shell w whitelist-environment",
    switches: "f fast l login m p preserve-environment P pty",
    scripts: "c command session-command",
    operands: 99,
    inert: "h help V version",
  },
  script: {
    values: "E echo o output-limit O log-out I log-in B log-io T log-timing m logging-format",
    switches: "a append e return f flush force q quiet",
    scripts: "c command",
    operands: 1,
    inert: "h help V version",
  },
  strace: {
    values: "o e P p s a b E I O S u X U trace-path",
    switches: "f ff c C D d i k n q qq r t tt ttt T v V w x xx y yy z Z follow-forks",
    hasAssignments: false,
    inert: "h help version",
  },
  ssh: {
    values: "b B c D E e F I i J L l m O o p Q R S W w",
    switches: "4 6 A a C f G g K k M N n q s T t V v X x Y y",
    operands: 1,
    isShell: true,
  },
  caffeinate: { values: "t w", switches: "d i m s u" },
  unbuffer: { switches: "p" },
  catchsegv: {},
  busybox: { inert: "list list-full install help" },
  toybox: {},
};
