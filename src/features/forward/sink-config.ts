// A receiver of rows as a person configures it, at a daemon or at the control plane. It is checked
// before anything is kept.

import { randomBytes } from "node:crypto";
import type { ForwardStart } from "../../api/methods/forward.ts";
import { isWebhookSecret, newWebhookSecret } from "../../host/outgoing/standard-webhook.ts";
import type { Entry } from "../../model/entry.ts";
import { UserError } from "../../model/user-error.ts";
import { FORWARD_FORMATS, type SinkConfig } from "./sink.ts";
import { sinkOpener } from "./sink-kinds.ts";

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;

/** Checks a receiver as a person typed it. Throws a `UserError` that says what is wrong. */
export function checkedSink(start: ForwardStart): SinkConfig {
  const { name, target, headers = {} } = start;
  if (!NAME.test(name))
    throw new UserError(`'${name}' cannot be a name`, {
      hint: "lower-case letters, digits and hyphens, at most 32",
      exitCode: 2,
    });
  const format = FORWARD_FORMATS.find((each) => each === (start.format ?? "rows"));
  if (format === undefined)
    throw new UserError(`there is no format '${start.format}'`, { hint: "rows or ocsf", exitCode: 2 });
  for (const [field, value] of Object.entries(headers))
    if (!HEADER_NAME.test(field) || /[^\t\x20-\x7e]/.test(value))
      throw new UserError(`'${field}' cannot be sent as a header`, { exitCode: 2 });
  if (start.secret !== undefined && !isWebhookSecret(start.secret))
    throw new UserError("the secret is not 'whsec_' and at least 24 bytes in base64", { exitCode: 2 });
  const isWebhook = /^https?:/.test(target);
  const config: SinkConfig = {
    name,
    target,
    format,
    headers,
    secrets: isWebhook ? [start.secret ?? newWebhookSecret()] : [],
    ...(start.ca_pem === undefined ? {} : { caPem: start.ca_pem }),
    ...(start.access_key_id === undefined ? {} : { accessKeyId: start.access_key_id }),
    ...(start.secret_access_key === undefined ? {} : { secretAccessKey: start.secret_access_key }),
  };
  sinkOpener(config);
  return config;
}

/** A row that says it is a test. */
export function testRow(): Entry {
  return {
    timestamp_ms: Date.now(),
    op: "control",
    hash: randomBytes(16).toString("hex"),
    fields: { command: "forward test", reason: "a test of forwarding: nothing was asked or decided" },
  };
}
