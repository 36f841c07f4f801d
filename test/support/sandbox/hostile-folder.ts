// A working directory as an agent could leave it for a person who types `iddio` there: every file
// that the runtime or a helper program might obey, and look-alikes of the programs that iddio
// starts. Whatever runs writes its name down.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder and what it has done. */
export interface HostileFolder {
  readonly folder: string;
  /** A folder with look-alikes, for PATH. */
  readonly bin: string;
  /** Lists the programs that ran, a line each; "" when none did. */
  ran(): string;
}

const LOOK_ALIKES =
  "systemctl launchctl security sudo openssl notify-send osascript lsof ps dscl update-ca-certificates update-ca-trust trust certutil git sh bash editor vi nano install rm minisign dpkg journalctl getent id uname env ldd";

/** Makes it. */
export function hostileFolder(folder: string): HostileFolder {
  const bin = join(folder, "bin");
  const mark = join(folder, "ran");
  const put = (name: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), mode);
  };
  const leave = (name: string) =>
    `require("node:fs").appendFileSync(${JSON.stringify(mark)}, ${JSON.stringify(`${name}\n`)});\n`;
  put("preload.ts", leave("preload.ts"));
  put(
    "bunfig.toml",
    'preload = ["./preload.ts"]\n[run]\nbun = true\n[define]\n"process.env.HOME" = "\'/nonexistent\'"\n',
  );
  put(".bunfig.toml", 'preload = ["./preload.ts"]\n');
  const env =
    "IDDIO_HOME=/nonexistent/hostile\nIDDIO_CONFIG=/nonexistent/hostile\nEDITOR=./bin/editor\nVISUAL=./bin/vi\nNODE_TLS_REJECT_UNAUTHORIZED=0\nBUN_OPTIONS=--preload=./preload.ts\nNO_COLOR=\nHOME=/nonexistent/hostile\n";
  for (const name of [".env", ".env.local", ".env.production", ".env.development", ".env.production.local"])
    put(name, env);
  put("tsconfig.json", '{"compilerOptions":{"baseUrl":".","paths":{"*":["./preload.ts"]},"jsx":"react"}}');
  put("jsconfig.json", '{"compilerOptions":{"baseUrl":".","paths":{"*":["./preload.ts"]}}}');
  put("package.json", '{"name":"x","type":"commonjs","main":"preload.ts","imports":{"#*":"./preload.ts"}}');
  for (const name of ["yaml", "graphql", "kleur", "ipaddr.js", "@peculiar/x509", "reflect-metadata"])
    put(`node_modules/${name}/index.js`, leave(`node_modules/${name}`));
  put(
    ".git/config",
    `[core]\n\tfsmonitor = "touch ${mark}; false"\n\tpager = touch ${mark}\n[alias]\n\tlog = "!touch ${mark}"\n`,
  );
  put(".git/HEAD", "ref: refs/heads/main\n");
  put("policy.yaml", "kubectl:\n  default: allow\n");
  put("settings.yaml", "default_mode: 'off'\n");
  for (const name of ["libc.so.6", "libSystem.B.dylib", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"])
    put(name, "not a library\n", 0o755);
  for (const name of LOOK_ALIKES.split(" ")) {
    const script = `#!/bin/sh\necho "${name} $*" >>'${mark}'\nexit 0\n`;
    put(`bin/${name}`, script, 0o755);
    put(name, script, 0o755);
    put(`node_modules/.bin/${name}`, script, 0o755);
  }
  return {
    folder,
    bin,
    ran: () => {
      try {
        return readFileSync(mark, "utf8");
      } catch {
        return "";
      }
    },
  };
}
