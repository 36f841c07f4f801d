// `iddio ca info`: the authority that signs what the gateway shows to clients.

import { type Command, JSON_FLAG } from "../kit/command.ts";
import { localTime } from "../kit/local-time.ts";

/** Prints where the certificate is, its fingerprint, validity and trust. */
export const caInfoCommand: Command = {
  name: "ca info",
  summary: "Show the CA's path, fingerprint, validity and trust",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const ca = await daemon.call("ca_info", {});
    if (flags.has("json")) return void output.json(ca);
    output.pairs([
      ["path", ca.path],
      ["bundle", ca.bundle],
      ["fingerprint", ca.fingerprint],
      ["not_before", localTime(ca.not_before_ms)],
      ["not_after", localTime(ca.not_after_ms)],
      ["trust", ca.trust],
    ]);
  },
};
