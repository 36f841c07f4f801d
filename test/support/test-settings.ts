// settings.yaml of a test's home: a free port, and no guard, because tests decide without a
// terminal. Tests of the guard name one.

/** The text, with further lines. */
export function testSettings(more = ""): string {
  const guard = more.includes("approval_guard:") ? "" : "approval_guard: off\n";
  return `proxy_listen: 127.0.0.1:0\n${guard}${more}`;
}
