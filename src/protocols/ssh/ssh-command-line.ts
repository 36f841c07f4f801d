// The command line of `ssh`, `sftp` and `scp` on this machine: which host it reaches, as whom, and
// its wish there. The host is the word that was typed; an ssh configuration may map it to another,
// which is not known here.

import type { ShellWord } from "../shell/word.ts";
import { unknownClassification } from "../unknown.ts";
import { type ClassifiedWish, classifyWish, type RemoteWish } from "./classify-wish.ts";
import { classifyFileOperation } from "./file-operation.ts";

/** One command for one host, as a command line asks for it. */
export interface RemoteCall {
  readonly host: string;
  /** 22 unless the line says another one. */
  readonly port: number;
  /** "" where the line does not say. */
  readonly user: string;
  readonly wish: ClassifiedWish;
}

const PORT = 22;
const SSH_VALUES = "bBcDEeFIiJLlmOopQRSWw";
const COPY_VALUES = "BbcDFiJloPRSsX";
/** They carry other connections, or keys. */
const FORWARDS: Readonly<Record<string, string>> = {
  L: "direct-tcpip",
  D: "direct-tcpip",
  W: "direct-tcpip",
  R: "tcpip-forward",
  w: "tun",
  A: "auth-agent",
  X: "x11",
  Y: "x11",
};
/** Nothing is connected to, or only a master that is open already. */
const INERT = /[GQV]/;
/** Options by which a session goes another way than its host's name says. */
const DETOUR = /^(?:hostname|proxycommand|proxyjump|localcommand|remotecommand|knownhostscommand)\b/i;

/** Reads a command line; empty where it concerns no host. The strictest of the calls counts. */
export function readSshCommand(program: string, words: readonly ShellWord[]): readonly RemoteCall[] {
  if (program === "ssh") return sshCalls(words);
  return program === "scp" || program === "sftp" ? copyCalls(program, words) : [];
}

interface Options {
  readonly letters: string;
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly rest: readonly ShellWord[];
}

/** Options of getopt, up to the first operand; ssh takes them behind its host as well. */
function optionsOf(words: readonly ShellWord[], withValue: string): Options {
  let letters = "";
  const values = new Map<string, string[]>();
  let at = 0;
  for (; at < words.length; at++) {
    const { text } = words[at] as ShellWord;
    if (text === "--") {
      at++;
      break;
    }
    if (!/^-./.test(text)) break;
    for (let index = 1; index < text.length; index++) {
      const letter = text[index] as string;
      letters += letter;
      if (!withValue.includes(letter)) continue;
      const value = index + 1 < text.length ? text.slice(index + 1) : (words[++at]?.text ?? "");
      values.set(letter, [...(values.get(letter) ?? []), value]);
      break;
    }
  }
  return { letters, values, rest: words.slice(at) };
}

function sshCalls(words: readonly ShellWord[]): readonly RemoteCall[] {
  const before = optionsOf(words.slice(1), SSH_VALUES);
  const [target, ...behind] = before.rest;
  if (target === undefined || INERT.test(before.letters)) return [];
  const after = optionsOf(behind, SSH_VALUES);
  const letters = before.letters + after.letters;
  const valuesOf = (letter: string) => [
    ...(before.values.get(letter) ?? []),
    ...(after.values.get(letter) ?? []),
  ];
  const place = placeOf(target.text, { user: valuesOf("l")[0], port: valuesOf("p")[0] });
  const command = after.rest.map(({ text }) => text).join(" ");
  const pty = letters.includes("t");
  const wishes: RemoteWish[] = [...letters]
    .filter((letter) => Object.hasOwn(FORWARDS, letter))
    .map((letter) => ({ kind: "forward", what: FORWARDS[letter] ?? "", detail: "" }));
  if (letters.includes("s")) wishes.push({ kind: "subsystem", name: command });
  else if (command !== "") wishes.push({ kind: "exec", command, pty });
  else if (!letters.includes("N")) wishes.push({ kind: "shell" });
  const options = valuesOf("o");
  const vague = [target, ...after.rest].find(({ isSure }) => !isSure);
  const detour = options.find((each) => DETOUR.test(each.trim()));
  const calls = wishes.map((wish) => ({ ...place, wish: classifyWish(wish) }));
  if (vague !== undefined)
    calls.push({ ...place, wish: unknown(`what '${vague.text}' stands for is only known when it runs`) });
  if (detour !== undefined) calls.push({ ...place, wish: unknown(`'${detour}' leads another way`) });
  return calls;
}

function copyCalls(program: string, words: readonly ShellWord[]): readonly RemoteCall[] {
  const { letters, values, rest } = optionsOf(words.slice(1), COPY_VALUES);
  const port = values.get("P")?.[0];
  const detour = (values.get("o") ?? []).find((each) => DETOUR.test(each.trim())) ?? values.get("S")?.[0];
  return rest.flatMap(({ text, isSure }, index): readonly RemoteCall[] => {
    const named = /^(?:(?:scp|sftp):\/\/)?((?:[^@/:]*@)?(?:\[[^\]]+\]|[^:/[\]]+))(?::(.*))?$/.exec(text);
    if (named === null || (program === "scp" && named[2] === undefined && !text.startsWith("scp://")))
      return [];
    const place = placeOf(named[1] ?? "", { user: undefined, port });
    if (!isSure || detour !== undefined)
      return [{ ...place, wish: unknown("what it copies is only known when it runs") }];
    // scp and sftp take `~` for the home directory; SFTP itself would take it for a name.
    const path = (named[2] ?? "").replace(/^~(?:\/|$)/, "") || ".";
    if (program === "sftp")
      return letters.includes("b")
        ? [{ ...place, wish: unknown("its batch file is not read") }]
        : [{ ...place, wish: classifyWish({ kind: "subsystem", name: "sftp" }) }];
    const operation = index === rest.length - 1 ? "upload" : "download";
    return [{ ...place, wish: { classification: classifyFileOperation(operation, [path]), isExact: true } }];
  });
}

function placeOf(
  target: string,
  given: { readonly user: string | undefined; readonly port: string | undefined },
): Omit<RemoteCall, "wish"> {
  const plain = target.replace(/^ssh:\/\//, "");
  const at = plain.lastIndexOf("@");
  const [, host = "", port] =
    /^(\[[^\]]*\]|[^:]*(?::[^:]*:.*)?)(?::(\d+))?\/?$/.exec(plain.slice(at + 1)) ?? [];
  return {
    host: (host === "" ? plain.slice(at + 1) : host).replace(/^\[|\]$/g, "").toLowerCase(),
    port: Number(given.port ?? port ?? PORT),
    user: at > 0 ? plain.slice(0, at) : (given.user ?? ""),
  };
}

function unknown(reason: string): ClassifiedWish {
  return { classification: unknownClassification("ssh", reason), isExact: false };
}
