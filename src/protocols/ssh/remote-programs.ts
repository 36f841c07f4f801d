// Programs whose words say what they do in ways that a table cannot hold: mostly, their second word
// decides. A program is called a read only when it plainly is one.

import { oddSetting } from "../shell/programs/shell-options.ts";
import type { ShellWord } from "../shell/word.ts";
import { bridge, ip, nmcli, tc } from "./network-programs.ts";
import {
  breakGlass,
  isOnly,
  modify,
  observe,
  operandsOf,
  type ProgramFinding,
  type ProgramTools,
  type Reader,
  sensitive,
  strictest,
  texts,
  unknown,
  vagueOf,
} from "./program-reader.ts";
import { awk, find, sed } from "./text-programs.ts";
import { curl, git, rsync, scp, tar, wget } from "./transfer-programs.ts";

/** Reads the words of a program that the table leaves to code. */
export function readProgram(
  program: string,
  args: readonly ShellWord[],
  base: ProgramFinding,
  tools: ProgramTools,
): ProgramFinding {
  const read = READERS[program];
  return read === undefined ? unknown(`no rule reads ${program}`) : read(args, base, tools, program);
}

const service: Reader = (args, base) => {
  if (vagueOf(args)) return sensitive("which service, is only known when it runs");
  const words = texts(args);
  if (words[0]?.includes("/") === true) return unknown("it runs a program by its path");
  if (words[0] === "--status-all") return base;
  const [, verb = ""] = words;
  if (verb === "status") return observe("asks a service");
  if (/^(?:start|restart|reload|force-reload|try-restart)$/.test(verb))
    return modify("starts a service again");
  return sensitive("stops or changes a service");
};

const sysctl: Reader = (args, base) => {
  const words = texts(args);
  if (
    words.some(
      (each) =>
        /^(?:-\w*[wp]|--write|--load|--system)/.test(each) || (!each.startsWith("-") && each.includes("=")),
    )
  )
    return breakGlass("changes the kernel");
  return isOnly(args, "a A n e N b q all values names ignore deprecated", "r pattern")
    ? base
    : unknown("an option of it is not known");
};

const date: Reader = (args, base) => {
  if (texts(args).some((each) => /^(?:-s|--set)/.test(each))) return breakGlass("changes the clock");
  const takesNext = /^(?:-[uRI]*[dr]|--date|--reference)$/;
  const isOption = ({ text }: ShellWord, at: number) =>
    text.startsWith("-") || takesNext.test(args[at - 1]?.text ?? "");
  if (args.some((word, at) => !isOption(word, at) && !word.text.startsWith("+")))
    return breakGlass("changes the clock");
  return isOnly(
    args.filter(isOption),
    "u R I utc universal rfc-email iso-8601 debug rfc-3339",
    "d r date reference",
  ) || texts(args).every((each) => /^(?:\+|-I|-u$|-R$|--(?:utc|iso-8601|rfc-3339=|date=))/.test(each))
    ? base
    : unknown("an option of it is not known");
};

const getent: Reader = (args, base) => {
  const [database = ""] = operandsOf(args).map(({ text }) => text);
  if (vagueOf(args) || /shadow/.test(database)) return sensitive("may print hashes of passwords");
  return base;
};

const onlyAsks =
  (max: number, tier: ProgramFinding): Reader =>
  (args, base) =>
    operandsOf(args).length <= max &&
    texts(args).every((each) => !/^-/.test(each) || /^-(?:[asvnerlt46]+|-\w[\w-]*|[iSkgcTm])$/.test(each))
      ? base
      : tier;

const openssl: Reader = (args, base, tools) => {
  const words = texts(args);
  if (words[0] !== "x509") return base;
  if (
    words.some((each) =>
      /^-(?:out|signkey|key|CAkey|CA|CAcreateserial|CAserial|req|engine|provider)$/.test(each),
    )
  )
    return sensitive("makes or signs a certificate");
  const at = words.indexOf("-in");
  const file = at < 0 ? undefined : args[at + 1];
  // A certificate is public, whatever its file is called.
  return file !== undefined && tools.pathOf(file) === undefined
    ? unknown("which file it reads is only known when it runs")
    : base;
};

const printenv: Reader = (args) =>
  args.length > 0 &&
  args.every(
    ({ text, isSure }) =>
      isSure && /^(?:PATH|HOME|LANG|SHELL|USER|LOGNAME|PWD|TERM|TZ|LC_\w+|HOSTNAME)$/.test(text),
  )
    ? observe("prints a variable")
    : sensitive("prints variables, which may hold secrets");

const setVariables: Reader = (args, base, _, program) => {
  const words = texts(args);
  if (words.length === 0 || words.includes("-p"))
    return sensitive("prints variables, which may hold secrets");
  const odd = program === "set" ? oddSetting(program, args) : undefined;
  return odd === undefined ? base : unknown(`'${odd}' may change how the shell reads a line`);
};

const mount: Reader = (args, base) =>
  operandsOf(args).length === 0 && isOnly(args, "l v", "t") ? base : breakGlass("changes file systems");

const swapon: Reader = (args, base) =>
  texts(args).every((each) => /^(?:-s|--show.*|--summary|--bytes|--noheadings|--raw)$/.test(each)) &&
  args.length > 0
    ? base
    : sensitive("changes swap");

const uniq: Reader = (args, base, tools) => {
  const [input, output] = operandsOf(args);
  if (output !== undefined) return tools.write(tools.pathOf(output), modify("writes a file"));
  return input === undefined ? base : strictest(base, tools.read(tools.pathOf(input), false));
};

/** `ps e` prints the variables of processes, by the words of BSD; `ps -e` lists all of them. */
const ps: Reader = (args, base) => {
  let isValue = false;
  for (const { text, isSure } of args) {
    if (!isSure && /[$`]/.test(text)) return unknown("what it shows is only known when it runs");
    if (/environ/.test(text) || /^-\w*E/.test(text))
      return sensitive("prints variables of processes, which may hold secrets");
    if (isValue) isValue = false;
    else if (text.startsWith("--")) isValue = PS_VALUES.test(text);
    else if (text.startsWith("-")) isValue = /[oOCGgpqstUukN]$/.test(text);
    else if (/^[a-zA-Z]+$/.test(text) && text.includes("e"))
      return sensitive("prints variables of processes, which may hold secrets");
    else isValue = /^[a-zA-Z]*[oOUpqtk]$/.test(text);
  }
  return base;
};

/** `docker inspect` prints variables, unless a format asks for plain facts alone. */
const dockerInspect: Reader = (args, base) => {
  const words = texts(args);
  const at = words.findIndex((each) => /^(?:-f|--format)$/.test(each));
  const format = at < 0 ? words.find((each) => each.startsWith("--format="))?.slice(9) : words[at + 1];
  if (format === undefined || vagueOf(args) !== undefined) return base;
  const fields = format.match(/\{\{[^}]*\}\}/g) ?? [];
  const isPlain = fields.every((each) =>
    /^\{\{\s*(?:json\s+)?(?:\.(?:State|Name|Id|Created|Image|RestartCount|Platform|Driver)(?:\.\w+)*|\.NetworkSettings(?:\.\w+)*)\s*\}\}$/.test(
      each,
    ),
  );
  return fields.length > 0 && isPlain ? observe("prints facts of a container") : base;
};

const PACK_SWITCHES =
  "c d k l t f q v n N z 1 2 3 4 5 6 7 8 9 stdout to-stdout decompress uncompress list test quiet verbose keep no-name force robot";

/** gzip and its like: to stdout, listing or testing they change nothing. */
const packer: Reader = (args, base, tools) => {
  const files = operandsOf(args).map((each) => tools.pathOf(each));
  const isRead =
    files.length === 0 ||
    texts(args).some((each) => /^-\w*[clt]|^--(?:stdout|to-stdout|list|test)$/.test(each));
  if (isRead && isOnly(args, PACK_SWITCHES, "T threads"))
    return files.reduce(
      (finding, each) => strictest(finding, tools.read(each, false)),
      observe("prints, or tests, packed files"),
    );
  return files.reduce((finding, each) => tools.write(each, finding), base);
};

/** Writes what it reads into files, or nowhere. */
const tee: Reader = (args, base, tools) => {
  const files = operandsOf(args).map((each) => tools.pathOf(each));
  const isNowhere = files.every(
    (each) => each !== undefined && /^\/dev\/(?:null|stdout|stderr|tty)$/.test(each),
  );
  if (isNowhere && isOnly(args, "a i p append ignore-interrupts", "")) return observe("writes into no file");
  return files.reduce((finding, each) => tools.write(each, finding), base);
};

/** Ends processes; signal 0 asks whether they live. */
const kill: Reader = (args, base) => {
  const [first = ""] = texts(args);
  if (vagueOf(args.slice(0, 1))) return base;
  if (first === "-0" && texts(args.slice(1)).every((each) => !each.startsWith("-")))
    return observe("asks whether a process lives");
  if (first === "-l" || first === "-L") return observe("lists signals");
  return base;
};

const PS_VALUES =
  /^--(?:sort|format|cols|columns|width|rows|lines|pid|ppid|quick-pid|user|User|group|Group|sid|tty)$/;

const READERS: Readonly<Record<string, Reader>> = {
  docker: dockerInspect,
  find,
  ps,
  sed,
  awk,
  gawk: awk,
  mawk: awk,
  ip,
  service,
  "rc-service": service,
  sysctl,
  date,
  getent,
  ifconfig: onlyAsks(1, breakGlass("changes the network")),
  route: onlyAsks(0, breakGlass("changes the network")),
  ethtool: onlyAsks(1, breakGlass("changes an interface")),
  tar,
  rsync,
  scp,
  curl,
  wget,
  git,
  openssl,
  printenv,
  set: setVariables,
  shopt: (args, base) => {
    const odd = oddSetting("shopt", args);
    return odd === undefined ? base : unknown(`'${odd}' may change how the shell reads a line`);
  },
  export: setVariables,
  declare: setVariables,
  typeset: setVariables,
  local: setVariables,
  mount,
  swapon,
  uniq,
  xxd: uniq,
  bridge,
  gzip: packer,
  gunzip: packer,
  bzip2: packer,
  bunzip2: packer,
  xz: packer,
  unxz: packer,
  zstd: packer,
  unzstd: packer,
  lz4: packer,
  tee,
  kill,
  killall: kill,
  pkill: kill,
  nmcli,
  tc,
};
