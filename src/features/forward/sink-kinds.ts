// The kinds of sinks, by the scheme of their target. Owns the form of a target and the inputs of
// each kind; a target that cannot be used is refused when it is added, not when the first row is
// due.

import { isAbsolute } from "node:path";
import type { OutboundRequest, Reach } from "../../host/outgoing/send-request.ts";
import type { Entry } from "../../model/entry.ts";
import { UserError } from "../../model/user-error.ts";
import { isSecureUrl } from "../../text/secure-url.ts";
import { ocsfEvent } from "./formats/ocsf-event.ts";
import type { Sender, Sink, SinkConfig } from "./sink.ts";
import { fileSink } from "./sinks/file-sink.ts";
import { otlpSink } from "./sinks/otlp-sink.ts";
import { s3Sink } from "./sinks/s3-sink.ts";
import { syslogSink } from "./sinks/syslog-sink.ts";
import { webhookSink } from "./sinks/webhook-sink.ts";

/** A sink's inputs besides its configuration. */
export interface Surroundings {
  readonly sender: Sender;
  /** URL of the corporate proxy for an address; "" for none. */
  readonly proxyFor: (url: string) => string;
  /** The networks that a sink may be in; `private` unless told. */
  readonly reach?: Reach;
}

type Open = (around: Surroundings, render: (entry: Entry) => unknown) => Sink;

const HINT =
  "targets: syslog+tls://host:6514, otlp+https://host:4318/v1/logs, https://host/path (webhook), s3://bucket/prefix?region=…, file:/path";

/** Reads the target and gives the way to open the sink. Throws a `UserError` for one that cannot be used. */
export function sinkOpener(config: SinkConfig): Open {
  const { target } = config;
  const scheme = /^([a-z0-9+]+):/.exec(target)?.[1] ?? "";
  switch (scheme) {
    case "file":
      return openFile(config);
    case "syslog+tls":
    case "syslog+tcp":
      return openSyslog(config, scheme === "syslog+tls");
    case "otlp+https":
    case "otlp+http":
      return openOtlp(config);
    case "https":
    case "http":
      return openWebhook(config);
    case "s3":
      return openS3(config);
    default:
      throw unusable(target, "is of no known kind");
  }
}

/** Opens it. */
export function openSink(config: SinkConfig, around: Surroundings): Sink {
  const render =
    config.format === "ocsf" ? (entry: Entry) => ocsfEvent(entry, around.sender) : (entry: Entry) => entry;
  return sinkOpener(config)(around, render);
}

function openFile({ target }: SinkConfig): Open {
  const path = decodeURIComponent(target.replace(/^file:(?:\/\/(?=\/))?/, ""));
  if (!isAbsolute(path) || path.includes("\0")) throw unusable(target, "has no absolute path");
  return (_around, render) => fileSink(path, render);
}

function openSyslog({ target, caPem }: SinkConfig, isTls: boolean): Open {
  const url = urlOf(target, target.replace(/^syslog\+t(?:ls|cp):/, "https:"));
  if (url.pathname !== "/" || url.search !== "" || url.username !== "")
    throw unusable(target, "has more than a host and a port");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (!isTls && !isSecureUrl(`http://${url.host}`))
    throw unusable(target, "would send rows in clear to another machine", "use syslog+tls://");
  const port = Number(/:(\d+)\/?$/.exec(target)?.[1] ?? (isTls ? 6514 : 601));
  return ({ sender, reach = "private" }, render) =>
    syslogSink({ host, port, isTls, reach, ...(caPem === undefined ? {} : { caPem }) }, sender, render);
}

function openOtlp(config: SinkConfig): Open {
  const url = urlOf(config.target, config.target.replace(/^otlp\+/, ""));
  if (url.pathname === "/") url.pathname = "/v1/logs";
  checkSecure(config.target, url);
  return (around, render) => otlpSink(() => requestOf(config, url, around), around.sender, render);
}

function openWebhook(config: SinkConfig): Open {
  const url = urlOf(config.target, config.target);
  checkSecure(config.target, url);
  return (around, render) =>
    webhookSink(
      () => requestOf(config, url, around),
      () => config.secrets,
      render,
    );
}

function openS3(config: SinkConfig): Open {
  const { target, accessKeyId, secretAccessKey } = config;
  const url = urlOf(target, target.replace(/^s3:/, "https:"));
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw unusable(target, "needs an access key", "give --access-key-id, and the secret on standard input");
  const region = url.searchParams.get("region") ?? "us-east-1";
  const endpoint = url.searchParams.get("endpoint") ?? undefined;
  if (!/^[a-z0-9-]{1,40}$/.test(region)) throw unusable(target, "has a region that is none");
  const unknown = [...url.searchParams.keys()].find((name) => name !== "region" && name !== "endpoint");
  if (unknown !== undefined) throw unusable(target, `has the unknown parameter '${unknown}'`);
  if (endpoint !== undefined && !isSecureUrl(endpoint))
    throw unusable(target, "has an endpoint that is neither https nor on this machine");
  const to = {
    bucket: url.hostname,
    prefix: url.pathname.replace(/^\/+|\/+$/g, ""),
    region,
    accessKeyId,
    secretAccessKey,
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  return ({ sender, proxyFor, reach = "private" }, render) =>
    s3Sink(to, { hostname: sender.hostname, reach, proxyFor }, render);
}

function requestOf(
  config: SinkConfig,
  url: URL,
  { proxyFor, reach = "private" }: Surroundings,
): OutboundRequest {
  return {
    url: url.href,
    headers: config.headers,
    reach,
    proxy: proxyFor(url.href),
    ...(config.caPem === undefined ? {} : { caPem: config.caPem }),
  };
}

function urlOf(target: string, text: string): URL {
  if (!URL.canParse(text)) throw unusable(target, "cannot be read");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw unusable(target, "holds a password", "give it with --header 'Authorization: …'");
  if (url.hostname === "") throw unusable(target, "names no host");
  return url;
}

function checkSecure(target: string, url: URL): void {
  if (!isSecureUrl(url.href)) throw unusable(target, "is neither https nor on this machine");
}

function unusable(target: string, why: string, hint = HINT): UserError {
  return new UserError(`the target '${target}' ${why}`, { hint, exitCode: 2 });
}
