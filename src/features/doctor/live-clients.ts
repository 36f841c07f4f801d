// How each client is sent to a name of our choosing with one harmless request, as `doctor
// --live` does. With the user's own environment and configuration where those decide about
// proxy and trust, but never with a real credential and never to a real service.

import { join } from "node:path";
import type { Protocol } from "../../model/protocol.ts";

/** The arguments of a command, and the files in its directory. */
export interface LiveCommand {
  readonly args: readonly string[];
  /** Beside the user's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** One client that can be tried. */
export interface LiveClient {
  readonly name: string;
  /** Names of the program; the first that is installed is tried. */
  readonly programs: readonly string[];
  /** Whose classifier reads its requests. */
  readonly protocol: Protocol;
  /** The host that it talks to in earnest; undefined where that is the user's affair. */
  readonly standsFor?: string;
  /** The entry to add to the policy so that it is inspected. */
  readonly inspect?: string;
  /** `host` is the name to talk to; `directory` is empty and the client's own. */
  command(host: string, directory: string): LiveCommand;
}

/** Every client that is tried, in the order in which they are shown. */
export const LIVE_CLIENTS: readonly LiveClient[] = [
  {
    name: "kubectl",
    programs: ["kubectl"],
    protocol: "kubectl",
    command: (host, directory) => ({
      args: [
        "--kubeconfig",
        join(directory, "kubeconfig"),
        "--server",
        `https://${host}`,
        "--request-timeout=10s",
        "get",
        "--raw",
        "/api/v1/namespaces/default/pods?limit=1",
      ],
      files: { kubeconfig: "apiVersion: v1\nkind: Config\n" },
    }),
  },
  {
    name: "gcloud",
    programs: ["gcloud"],
    protocol: "gcloud",
    standsFor: "compute.googleapis.com",
    inspect: "*.googleapis.com",
    command: (host, directory) => ({
      args: ["compute", "zones", "list", "--project=iddio-probe", "--format=json", "--quiet"],
      env: {
        CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `https://${host}/compute/v1/`,
        CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(directory, "token"),
        CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
        CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "1",
        CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: "1",
      },
      files: { token: "probe" },
    }),
  },
  {
    name: "aws",
    programs: ["aws"],
    protocol: "aws",
    standsFor: "sts.amazonaws.com",
    inspect: "*.amazonaws.com",
    command: (host) => ({
      args: [
        "sts",
        "get-caller-identity",
        "--endpoint-url",
        `https://${host}`,
        "--region=us-east-1",
        "--no-sign-request",
        "--cli-connect-timeout=10",
        "--cli-read-timeout=10",
      ],
      env: { AWS_MAX_ATTEMPTS: "1", AWS_EC2_METADATA_DISABLED: "true", AWS_PAGER: "" },
    }),
  },
  {
    name: "gh",
    programs: ["gh"],
    protocol: "github",
    standsFor: "api.github.com",
    inspect: "api.github.com",
    command: (host, directory) => ({
      args: ["api", "user"],
      env: {
        GH_HOST: host,
        GH_ENTERPRISE_TOKEN: "probe",
        GH_CONFIG_DIR: directory,
        GH_PROMPT_DISABLED: "1",
        GH_NO_UPDATE_NOTIFIER: "1",
      },
    }),
  },
  {
    name: "terraform",
    programs: ["terraform", "tofu"],
    protocol: "terraform",
    standsFor: "app.terraform.io",
    inspect: "app.terraform.io",
    command: (host, directory) => ({
      args: ["init", "-input=false", "-no-color", "-backend=false"],
      env: { CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1", TF_DATA_DIR: join(directory, "data") },
      files: {
        "main.tf": `module "probe" {\n  source  = "${host}/iddio/probe/none"\n  version = "1.0.0"\n}\n`,
      },
    }),
  },
  {
    name: "helm",
    programs: ["helm"],
    // On the wire helm talks to the cluster.
    protocol: "kubectl",
    command: (host, directory) => ({
      args: ["list", "--kube-apiserver", `https://${host}`, "--kube-token=probe"],
      env: {
        KUBECONFIG: join(directory, "kubeconfig"),
        HELM_CACHE_HOME: directory,
        HELM_CONFIG_HOME: directory,
        HELM_DATA_HOME: directory,
      },
      files: { kubeconfig: "apiVersion: v1\nkind: Config\n" },
    }),
  },
  {
    name: "wrangler",
    programs: ["wrangler"],
    protocol: "cloudflare",
    standsFor: "api.cloudflare.com",
    inspect: "api.cloudflare.com",
    command: (host) => ({
      args: ["whoami"],
      env: {
        CLOUDFLARE_API_BASE_URL: `https://${host}/client/v4`,
        CLOUDFLARE_API_TOKEN: "probe",
        WRANGLER_SEND_METRICS: "false",
        CI: "1",
      },
    }),
  },
  {
    name: "fly",
    programs: ["fly", "flyctl"],
    protocol: "fly",
    standsFor: "api.fly.io",
    inspect: "api.fly.io",
    command: (host, directory) => ({
      args: ["orgs", "list", "--json"],
      env: {
        FLY_API_BASE_URL: `https://${host}`,
        FLY_API_TOKEN: "probe",
        FLY_CONFIG_DIR: directory,
        FLY_NO_UPDATE_CHECK: "1",
      },
    }),
  },
  {
    name: "curl",
    programs: ["curl"],
    protocol: "generic",
    command: (host) => ({ args: ["-sS", "-o", "/dev/null", "--max-time", "15", `https://${host}/`] }),
  },
];
