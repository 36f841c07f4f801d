// Names that may be given to the operator's ssh. They reach its configuration (`%h`, `%r`, `Match
// exec`), so anything that a shell or ssh could read otherwise is refused, whatever ssh itself
// would say to it.

const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?$/;
const IPV6 = /^[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9_.-]{1,15})?$/;

/** Whether a host is a name or an address that nothing reads as an option, a command or two words. */
export function isPlainHost(host: string): boolean {
  return NAME.test(host) || (host.includes(":") && IPV6.test(host));
}

/** Whether a user's name is one word of letters, digits and `._-`, as useradd takes it, `$` excepted. */
export function isPlainUser(user: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(user);
}
