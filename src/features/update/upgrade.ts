// `iddio upgrade`: the latest release in the place of this program and of the daemon's. Works
// without a daemon, also to get rid of a broken one. The new version is tried on the real state
// before anything is replaced, and the previous program comes back when the new one does not come
// up as a service.

import type { Command, CommandContext } from "../../cli/kit/command.ts";
import {
  type Installation,
  installationOf,
  programFile,
  SYSTEM_FLAG,
} from "../../cli/kit/installation/installation.ts";
import { UserError } from "../../model/user-error.ts";
import { BUILD_VERSION, RELEASE_PUBLIC_KEY, REPOSITORY } from "../../version.ts";

/** Upgrades; prints its steps. */
export const upgradeCommand: Command = {
  name: "upgrade",
  summary: "Download the latest release and put it in place",
  flags: [
    { name: "check", summary: "Report whether there is a newer release; install nothing" },
    { name: "dry-run", summary: "Print the files that would be replaced and replace none" },
    SYSTEM_FLAG,
  ],
  details: ["Signature and checksum are verified first, then the new version is tried."],
  async run(context) {
    const { flags, output, env } = context;
    const installation = installationOf(context);
    const { paths } = installation;
    const { downloadRelease, fetchRelease, githubFeed, isNewer } = await import(
      "../../host/release/release.ts"
    );
    const { feed, proxy } = await source(paths.settings);
    const answer = await fetchRelease(feed || githubFeed(REPOSITORY), undefined, { proxy });
    if (answer.kind !== "release") throw new UserError("the feed said nothing");
    const { release } = answer;
    if (!isNewer(release.version, BUILD_VERSION)) {
      output.line(`iddio ${BUILD_VERSION} is the latest`);
      return 0;
    }
    output.line(`iddio ${release.version} is available; this is ${BUILD_VERSION}`);
    if (flags.has("check")) return 0;

    await refusePackaged();
    const program = programFile();
    if (flags.has("dry-run")) {
      for (const path of await places(program, installation)) output.line(`would replace ${path}`);
      return 0;
    }
    const { ensureStateDirectory } = await import("../../state/files.ts");
    const { acquireUpdateLock } = await import("../../state/lock.ts");
    const { rm } = await import("node:fs/promises");
    await ensureStateDirectory(paths);
    using _lock = acquireUpdateLock(paths);
    try {
      const { progressBar } = await import("../../cli/kit/terminal/progress-bar.ts");
      using bar = progressBar(output);
      const staged = await downloadRelease(release, {
        proxy,
        folder: paths.updates,
        publicKey: RELEASE_PUBLIC_KEY,
        env,
        onProgress: (received, total) => bar.show(received, total),
      });
      bar[Symbol.dispose]();
      output.line("verified: signature and checksum");
      await replaceDaemon(context, installation, staged, release.version);
      const { placeProgram } = await import("../../host/service/daemon-binary.ts");
      await placeProgram(staged, program);
      output.line(`replaced ${program}`);
    } finally {
      // A failure to clean up must not hide the reason of the failed upgrade.
      await rm(paths.updates, { recursive: true, force: true }).catch(() => undefined);
    }
    return 0;
  },
};

async function source(path: string): Promise<{ readonly feed: string; readonly proxy: string }> {
  const { parseSettings } = await import("../../state/settings/settings.ts");
  const { readConfigFile } = await import("../../state/trusted-file.ts");
  const text = await readConfigFile(path).catch((cause: unknown) => {
    throw new UserError(`'${path}' is not used: ${cause instanceof Error ? cause.message : String(cause)}`, {
      hint: "iddio doctor",
      cause,
    });
  });
  const parsed = parseSettings(text ?? "");
  if ("problems" in parsed)
    throw new UserError(`'${path}' does not load: ${parsed.problems[0]}`, { hint: "iddio doctor" });
  return { feed: parsed.settings.update_feed, proxy: parsed.settings.upstream_proxy };
}

async function refusePackaged(): Promise<void> {
  const { packageOrigin } = await import("../../host/service/package-origin.ts");
  const origin = await packageOrigin(process.execPath);
  if (origin === undefined) return;
  throw new UserError(
    `'${process.execPath}' was installed by ${origin.manager}, which alone may replace it`,
    {
      hint: origin.upgrade,
    },
  );
}

async function places(program: string, { paths }: Installation): Promise<string[]> {
  return [program, ...((await Bun.file(paths.daemonBinary).exists()) ? [paths.daemonBinary] : [])];
}

async function replaceDaemon(
  { output, env }: CommandContext,
  { paths, scope }: Installation,
  staged: string,
  version: string,
): Promise<void> {
  if (!(await Bun.file(paths.daemonBinary).exists())) return;
  const { openService } = await import("../../host/service/service.ts");
  const { wantsService } = await import("../../host/service/install-mode.ts");
  const { exchangeDaemon } = await import("./exchange-daemon.ts");
  const service = (await wantsService(paths)) ? openService({ scope, paths, env }) : undefined;
  const { isRestarted } = await exchangeDaemon({ paths, env, service, staged, version });
  output.line(`replaced ${paths.daemonBinary}${isRestarted ? " and restarted the daemon" : ""}`);
}
