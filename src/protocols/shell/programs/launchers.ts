// Programs that start another one after words of their own that no grammar reads: `npx wrangler`,
// `docker run image kubectl`, and whatever has its words behind `--`.

import { type ShellWord, wordWithHoles } from "../word.ts";
import type { Opened } from "./opened.ts";
import { isShell } from "./shell-start.ts";

/**
 * Programs that start another one, named somewhere after their own words: `npx wrangler`, `aws-vault exec
 * prod kubectl`.
 */
const LAUNCHERS = new Set(
  "npx bunx pnpx pnpm yarn npm bun uv uvx poetry pipenv pipx hatch rye bundle mise asdf aws-vault aws-okta granted direnv doppler op chamber dotenv envconsul infisical teller nix devbox flox rtx docker podman nerdctl lima limactl colima multipass vagrant wsl proot fakeroot systemd-run systemd-inhibit unshare nsenter firejail bwrap run0 pkexec setpriv runuser gosu su-exec tini dumb-init entr parallel expect tmux screen at batch rlwrap dbus-run-session xvfb-run hyperfine perf ltrace gdb valgrind rr numactl prlimit choom chronic ifne softlimit chpst setarch linux32 linux64 runcon k3s k0s microk8s minikube eatmydata proxychains proxychains4 torsocks tsocks sshpass mosh".split(
    " ",
  ),
);

/** Subcommands of launchers that take names of packages and images, and start none. */
const NAMES_PACKAGES =
  /^(?:install|i|ci|add|remove|rm|uninstall|update|upgrade|outdated|view|info|show|search|list|ls|why|pull|push|build|tag|images?|rmi|inspect|logs|ps|stop|start|restart|plugin|use|pin|current|which|where|latest|config|login|logout|publish|pack|link|audit|init|create|lock|sync|tree|cp|volume|network|system)$/;

/** Programs that take names of files or patterns after `--` and start none of them. */
const TAKES_NAMES = new Set(
  "git grep egrep fgrep rg ag ls cat head tail less wc rm cp mv mkdir touch ln chmod chown sed awk sort diff echo printf test cd pushd which type".split(
    " ",
  ),
);

/** A program that starts the words after `--`, or, for a known launcher, after its own words. */
export function openLauncher(
  program: string,
  args: readonly ShellWord[],
  isKnown: (program: string) => boolean,
): readonly Opened[] | undefined {
  const end = args.findIndex(({ text }) => text === "--");
  const isLauncher = LAUNCHERS.has(program);
  if (end >= 0 && !TAKES_NAMES.has(program)) {
    const words = args.slice(end + 1);
    // `minikube kubectl -- get pods`: the dashes may stand among the words of the other program.
    const named = args.slice(0, end).findIndex(({ text }) => isLauncher && isKnown(withoutVersion(text)));
    if (words.length > 0)
      return [
        { kind: "words", words },
        ...(named < 0 ? [] : [{ kind: "words" as const, words: [...args.slice(named, end), ...words] }]),
      ];
  }
  if (!isLauncher || NAMES_PACKAGES.test(args.find(({ text }) => !text.startsWith("-"))?.text ?? ""))
    return undefined;
  const start = args.findIndex(({ text }) => isKnown(withoutVersion(text)) || isShell(text));
  if (start < 0) return undefined;
  const [first, ...rest] = args.slice(start);
  const words = [
    { ...first, text: withoutVersion(first?.text ?? ""), isSure: first?.isSure === true },
    ...rest,
  ];
  return [{ kind: "words", words: program === "parallel" ? appended(untilColons(words), "{") : words }];
}

function untilColons(words: readonly ShellWord[]): readonly ShellWord[] {
  const end = words.findIndex(({ text }) => /^:::/.test(text));
  return [...(end < 0 ? words : words.slice(0, end)), { text: "{}", isSure: false }];
}

/** `wrangler@4` is a package with a version, `bitnami/kubectl:1.31` an image with a tag. */
function withoutVersion(text: string): string {
  return text.replace(/(?<=.)[@:][\w.^~*-]+$/, "");
}

/** Words with further ones, or with others in the place of `replace`, which are only known when the program runs. */
export function appended(words: readonly ShellWord[], replace: string | undefined): readonly ShellWord[] {
  if (replace === undefined) return [...words, { text: "…", isSure: false }];
  return words.map((word) => wordWithHoles(word, replace));
}
