// Explains to the client why the operator's ssh could not connect: the words of ssh, and the
// command by which a person puts it right. An agent never gets to trust an unknown host.

import type { DialledTarget } from "../link.ts";

/** The text. */
export function explainLog(log: string, { host, port, user }: DialledTarget): string {
  const words = log.trim().replace(/\r/g, "");
  const where = port === 22 ? host : `-p ${port} ${host}`;
  const advice = /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed|host key is known/.test(
    words,
  )
    ? /CHANGED/.test(words)
      ? `the host key of ${host} is not the one that is known; a person must find out why before it is trusted`
      : `the host key of ${host} is not known; a person can check it and trust it with: ssh ${where}`
    : /Permission denied/.test(words)
      ? `${host} does not let ${user} in with the keys that the operator's ssh has without asking; check: ssh -o BatchMode=yes -l ${user} ${where} true`
      : undefined;
  return advice === undefined ? words : `${words}\niddio: ${advice}`;
}
