// Options that do more than their program is known for: that name a file to read or to write,
// another folder, or a program to start. What rows of the table cannot say, because it holds for
// the values of options.

import type { ReadArgv } from "../argv.ts";
import { type ShellWord, sureWord } from "../shell/word.ts";

/** Programs that hand on the names that they get, or make names of files and nothing else. */
export const PASSES_NAMES = /^(?:find|ls|sort|head|tail|uniq|tac|shuf|grep|egrep|fgrep|rg|cd)$/;

/** Programs of jq and yq that read what no word names. */
export const READS_MORE =
  /(?<![.\w])(?:env|strenv|envsubst|load\w*|input_filename|get_search_list|import|include|modulemeta|getpath_env)\b|\$ENV\b|\$__prog/;

/** Files that a program reads for a list of names, and whose lines it shows when there is no such file. */
export function fileLists(program: string, read: ReadArgv | undefined): readonly ShellWord[] {
  const names = LISTS[program] ?? [];
  return names.flatMap((name) => (read?.flags.get(name) ?? []).map(sureWord));
}

const LISTS: Readonly<Record<string, readonly string[]>> = {
  wc: ["files0-from"],
  file: ["f", "m"],
  du: ["files0-from", "X", "exclude-from"],
  column: [],
};

/** Whether a program that writes takes whole trees along: what is copied may be read afterwards. */
export function copiesTrees(program: string, args: readonly ShellWord[]): boolean {
  if (program === "mv") return true;
  const isDeep = (letters: RegExp) => args.some(({ text }) => letters.test(text));
  if (program === "cp") return isDeep(/^-\w*[raR]|^--(?:recursive|archive)/);
  return program === "zip" && isDeep(/^-\w*r|^--recurse/);
}

/** Why a program starts others here; undefined when it does not. */
export function startsMore(program: string, args: readonly ShellWord[]): string | undefined {
  const pattern = STARTS[program];
  const found = pattern === undefined ? undefined : args.find(({ text }) => pattern.test(text));
  return found === undefined
    ? undefined
    : `'${found.text}' starts another program, or says how one is started`;
}

/** Options that name the configuration of a program that runs what stands there, also when it only checks it. */
export const CONFIG_FILES: Readonly<Record<string, readonly string[]>> = {
  haproxy: ["f"],
  nginx: ["c", "p"],
  sshd: ["f"],
  logrotate: ["s", "state"],
  "php-fpm": ["y", "c", "fpm-config"],
};

const STARTS: Readonly<Record<string, RegExp>> = {
  split: /^--filter/,
  zip: /^-\w*TT|^--unzip-command|^-TT/,
  install: /^--strip-program/,
  patch: /^-\w*g|^--get/,
  apt: /^-\w*[oc]|^--(?:option|config-file)/,
  "apt-get": /^-\w*[oc]|^--(?:option|config-file)/,
  "apt-cache": /^-\w*[oc]|^--(?:option|config-file)/,
  dnf: /^-c|^--(?:config|setopt|installroot|enableplugin|plugin)/,
  yum: /^-c|^--(?:config|setopt|installroot|enableplugin|plugin)/,
  rpm: /^-\w*[ED]|^--(?:eval|define|predefine|pipe|load|rcfile|macros|root|dbpath|undefine|set|restore)/,
  dig: /^-[fk]/,
  certbot: /-hook|^-c|^--config/,
  systemctl: /\/\S+\.(?:service|socket|timer|path|mount|target)$|^--(?:root|image|host)|^-H/,
  loginctl: /^--host|^-H/,
  "systemd-analyze": /^--(?:ho|im|ro)|^-H/,
  "systemd-cgls": /^--ho|^-H/,
  apk: /^-\w*[UX]|^--(?:update|root|repo|keys|cache|arch|initdb|force)/,
  pacman: /^-\w*[yu]|^--(?:config|dbpath|root|sysroot|hookdir|gpgdir|refresh|cachedir)/,
  tmux: /[#;]|^-[fLS]/,
  zpool: /^-\w*c/,
  virsh: /^-\w*c|^--conn/,
  podman:
    /^--(?:runtime|conmon|hooks|url|conn|remote|ident|root|runroot|storage|module|network-|config|cni)|^-c/,
  hash: /=|^-p/,
  nft: /[;{}\n]/,
  lsof: /^-\w*D/,
  mtr: /^--(?:address-file|filename)|^-F/,
  host: /^-\w*[fk]/,
  findmnt: /^--poll|^-p/,
  docker: /^--(?:conf|host|tls)|^-H/,
  lvs: /^--(?:conf|comm|prof)/,
  pvs: /^--(?:conf|comm|prof)/,
  vgs: /^--(?:conf|comm|prof)/,
  lvdisplay: /^--(?:conf|comm|prof)/,
  pvdisplay: /^--(?:conf|comm|prof)/,
  vgdisplay: /^--(?:conf|comm|prof)/,
  openssl: /^-(?:engine|provider|provider-path|config|rand|writerand)$/,
  lspci: /^-\w*[iHAOp]$/,
  modinfo: /^-[bk]/,
  ausearch: /^--?(?:if|input)/,
  aureport: /^--?(?:if|input)/,
};

/** A file or folder that a wrapper's options name. */
export interface WrapperFile {
  readonly option: "folder" | "read" | "write";
  /** Undefined when it is only known when it runs. */
  readonly path: ShellWord | undefined;
}

interface WrapperRule {
  readonly short: string;
  readonly long: string;
  readonly option: WrapperFile["option"];
  /** Other letters that take the next word. */
  readonly values: string;
}

const WRAPPER_FILES: Readonly<Record<string, WrapperRule>> = {
  env: { short: "C", long: "chdir", option: "folder", values: "uaS" },
  xargs: { short: "a", long: "arg-file", option: "read", values: "dEILnPsRSJ" },
  time: { short: "o", long: "output", option: "write", values: "f" },
};

/** The files that options of a wrapper name, up to its first operand. */
export function filesOfWrapper(program: string, args: readonly ShellWord[]): readonly WrapperFile[] {
  const rule = WRAPPER_FILES[program];
  if (rule === undefined) return [];
  const { short, long, option, values } = rule;
  const found: WrapperFile[] = [];
  for (let at = 0; at < args.length; at++) {
    const { text, isSure } = args[at] as ShellWord;
    if (!text.startsWith("-") && !/^[A-Za-z_]\w*=/.test(text)) break;
    if (text.startsWith("--")) {
      const [name = "", ...value] = text.slice(2).split("=");
      // GNU programs take any beginning of a long option.
      if (name === "" || !long.startsWith(name)) continue;
      found.push({ option, path: value.length === 0 ? args[++at] : { text: value.join("="), isSure } });
      continue;
    }
    for (let letter = 1; text.startsWith("-") && letter < text.length; letter++) {
      const name = text.charAt(letter);
      if (name !== short && !values.includes(name)) continue;
      const rest = text.slice(letter + 1);
      const value = rest === "" ? args[++at] : { text: rest, isSure };
      if (name === short) found.push({ option, path: value });
      break;
    }
  }
  return found;
}
