// The name of a user, remembered: rows ask for it on every connection. Where the system
// has none (directory services are not asked), the number is a name too.

import { readFileSync } from "node:fs";

const names = new Map<number, string>();

/** The name in /etc/passwd, else the number as text. */
export function userName(uid: number): string {
  const known = names.get(uid);
  if (known !== undefined) return known;
  const name = lookUpName(uid);
  names.set(uid, name);
  return name;
}

function lookUpName(uid: number): string {
  try {
    for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
      const [name, , id] = line.split(":");
      if (name && id === String(uid)) return name;
    }
  } catch {
    // The number, then.
  }
  return String(uid);
}
