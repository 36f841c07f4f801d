// The files that an operator installs a control plane with (systemd unit, compose.yaml, Helm chart)
// are well formed, and every flag in them is one that the program has.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { DATABASE_FLAGS, serverCommand } from "../../src/cli/commands/server/server.ts";
import { findClient, runClient } from "../support/clients.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const FOLDER = join(PROJECT_ROOT, "packaging/server");
// biome-ignore lint/suspicious/noExplicitAny: the files are what is tested.
type Yaml = any;

const read = (name: string) => Bun.file(join(FOLDER, name)).text();
const flagsOf = (specs: readonly { readonly name: string }[] = []) => specs.map(({ name }) => name);

/** The flags of a command line that `iddio server …` does not have. */
function unknownFlags(argv: readonly string[]): readonly string[] {
  const known = new Set(flagsOf(argv.includes("migrate") ? DATABASE_FLAGS : serverCommand.flags));
  return argv.flatMap((each) => /^--([a-z-]+)/.exec(each)?.[1] ?? []).filter((name) => !known.has(name));
}

/** The documents of the chart. */
async function rendered(): Promise<readonly Yaml[]> {
  const values = ["--set", "domain=fleet.example.com", "--set", "extraArgs={--keep-audit=400d}"];
  const helm = Bun.which("helm");
  if (helm !== null) {
    const { code, stdout, stderr } = await runClient(helm, [
      "template",
      "iddio",
      join(FOLDER, "helm"),
      ...values,
    ]);
    expect([code, stderr]).toEqual([0, ""]);
    return [Bun.YAML.parse(stdout)].flat();
  }
  // No helm here: its template language is filled in by hand, as far as the chart uses it.
  const own = Bun.YAML.parse(await read("helm/values.yaml")) as Yaml;
  own.domain = "fleet.example.com";
  own.extraArgs = ["--keep-audit=400d"];
  const given = (path: string) =>
    path === ".Release.Name"
      ? "iddio"
      : path
          .split(".")
          .slice(2)
          .reduce((value: Yaml, name) => value?.[name], own);
  const text = (await read("helm/templates/server.yaml"))
    .replace(/ *\{\{- range \.Values\.extraArgs \}\}\n(.*)\n *\{\{- end \}\}/, (_, line: string) =>
      own.extraArgs.map((each: string) => line.replace("{{ . | quote }}", JSON.stringify(each))).join("\n"),
    )
    .replace(/ *\{\{- with [^}]+\}\}\n.*\n *\{\{- end \}\}\n/g, "")
    .replace(/\{\{- toYaml (\S+) \| nindent 12 \}\}/, (_, path: string) => ` ${JSON.stringify(given(path))}`)
    .replace(/\{\{ printf "([^"]+)" ([^|}]+) \| quote \}\}/g, (_, format: string, args: string) => {
      const names = args.trim().split(/\s+/);
      return JSON.stringify(format.replace(/%s/g, () => String(given(names.shift() ?? ""))));
    })
    .replace(/\{\{ (\.[\w.]+) \}\}/g, (_, path: string) => String(given(path)));
  expect(text).not.toContain("{{");
  return text.split(/^---$/m).map((each) => Bun.YAML.parse(each));
}

test("the chart makes a deployment that migrates first, is closed, and uses flags that there are", async () => {
  const documents = await rendered();
  expect(documents.map(({ kind }) => kind).sort()).toEqual(["Deployment", "Ingress", "Service"]);
  const { spec } = documents.find(({ kind }) => kind === "Deployment").spec.template;
  const [migrate, server] = [...spec.initContainers, ...spec.containers];
  expect(migrate.args.slice(0, 2)).toEqual(["server", "migrate"]);
  expect(server.args).toContain("--domain=fleet.example.com");
  expect(server.args).toContain("--keep-audit=400d");
  for (const container of [migrate, server]) {
    expect(unknownFlags(container.args)).toEqual([]);
    expect(container.securityContext).toEqual({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    });
    const mounted = container.volumeMounts.map(({ name }: { name: string }) => name);
    expect(mounted).toEqual(spec.volumes.map(({ name }: { name: string }) => name));
    expect(container.env).toContainEqual({ name: "IDDIO_HOME", value: "/tmp/iddio" });
  }
  expect(server.readinessProbe.httpGet.path).toBe("/readyz");
  const ingress = documents.find(({ kind }) => kind === "Ingress").spec;
  expect(ingress.rules[0].host).toBe("*.fleet.example.com");
});

test("compose.yaml migrates before it serves, and uses flags that there are", async () => {
  const { services, secrets, volumes } = Bun.YAML.parse(await read("compose.yaml")) as Yaml;
  expect(services.server.depends_on.migrate.condition).toBe("service_completed_successfully");
  expect(services.migrate.depends_on.database.condition).toBe("service_healthy");
  for (const { command, image, secrets: used } of [services.migrate, services.server]) {
    expect(unknownFlags(command)).toEqual([]);
    expect([image, used]).toEqual(["debian:bookworm-slim", Object.keys(secrets)]);
  }
  expect(services.database.volumes[0].split(":")[0]).toBe(Object.keys(volumes)[0]);
});

test("systemd takes the unit, and its flags are ones that there are", async () => {
  const unit = await read("iddio-server.service");
  const lines = [...unit.matchAll(/^Exec\w+=(.*)$/gm)].map(([, line = ""]) => line.split(" "));
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(unknownFlags(line)).toEqual([]);
  const analyze = findClient("systemd-analyze");
  if (analyze === undefined) return;
  await using folder = await temporaryDirectory();
  const file = join(folder.path, "iddio-server.service");
  await Bun.write(
    file,
    unit.replaceAll("/usr/bin/iddio", "/bin/true").replace("User=iddio-server", "User=daemon"),
  );
  const verified = await runClient(analyze, ["verify", "--man=no", file]);
  expect([verified.code, verified.stderr]).toEqual([0, ""]);
});
