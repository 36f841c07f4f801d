// Writes a host and a port in one text, with IPv6 in brackets (RFC 3986 3.2.2).

/** The host as it stands before a colon and a port: `[::1]`, `example.com`. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** `example.com:443`, `[::1]:6443`. */
export function hostPort(host: string, port: number): string {
  return `${bracketed(host)}:${port}`;
}

/** For people: the host alone at the port of HTTPS, and where there is no port (0). */
export function hostText({ host, port }: { readonly host: string; readonly port: number }): string {
  return port === 443 || port === 0 ? host : hostPort(host, port);
}
