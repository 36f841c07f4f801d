// The agent of the demo: kubectl when it is installed, else a client of its own that sends the same
// requests through the same proxy. Both see nothing but the overlay kubeconfig.

import { readFile } from "node:fs/promises";
import { runClient } from "../support/clients.ts";

/** One thing that the agent does, in both ways of doing it. */
export interface Deed {
  readonly kubectl: readonly string[];
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
}

/** The agent's answer. */
export interface Answer {
  readonly isDone: boolean;
  readonly lines: readonly string[];
}

/** Does deeds. */
export interface Agent {
  readonly name: string;
  /** The deed as it would be typed or sent. */
  show(deed: Deed): string;
  act(deed: Deed): Promise<Answer>;
}

/** An agent that has only this overlay; `home` keeps kubectl's cache out of the user's. */
export async function openAgent(overlay: string, home: string): Promise<Agent> {
  const kubectl = Bun.which("kubectl");
  return kubectl === null ? ownClient(overlay) : kubectlAgent(kubectl, overlay, home);
}

function kubectlAgent(program: string, overlay: string, home: string): Agent {
  return {
    name: "kubectl",
    show: ({ kubectl }) => `kubectl ${kubectl.join(" ")}`,
    async act({ kubectl }) {
      const env = { HOME: home, KUBECONFIG: overlay };
      const { code, stdout, stderr } = await runClient(program, kubectl, { env });
      return { isDone: code === 0, lines: `${stdout}${stderr}`.trimEnd().split("\n") };
    },
  };
}

interface Overlay {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: { readonly token?: string } }[];
}

/** A client of the project's own with this overlay. */
export async function ownClient(overlay: string): Promise<Agent> {
  const { clusters, users } = JSON.parse(await readFile(overlay, "utf8")) as Overlay;
  const {
    server = "",
    "proxy-url": proxy = "",
    "certificate-authority-data": authorities = "",
  } = clusters[0]?.cluster ?? {};
  const ca = Buffer.from(authorities, "base64").toString();
  return {
    name: "a small HTTP client (kubectl is not installed)",
    show: ({ request }) => `${request.method} ${request.path}`,
    async act({ request }) {
      const response = await fetch(`${server}${request.path}`, {
        method: request.method,
        proxy,
        tls: { ca },
        headers: {
          authorization: `Bearer ${users[0]?.user.token ?? ""}`,
          "content-type": request.method === "PATCH" ? "application/merge-patch+json" : "application/json",
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      return { isDone: response.ok, lines: [`${response.status} ${summary(await response.text())}`] };
    },
  };
}

function summary(body: string): string {
  const { kind, message, metadata, items } = JSON.parse(body) as {
    kind: string;
    message?: string;
    metadata?: { name?: string };
    items?: readonly { metadata: { name: string } }[];
  };
  return `${kind} ${message ?? metadata?.name ?? items?.map((item) => item.metadata.name).join(", ") ?? ""}`.trimEnd();
}
