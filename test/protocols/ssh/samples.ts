// Requests of ssh for the laws that every classifier keeps (../contract.test.ts).

/** Real-looking requests. */
export const REQUESTS: readonly string[] = ["GET https://prod.example.com/"];

/** Command lines; the corpora have none of them. */
export const COMMAND_LINES: readonly (readonly string[])[] = [
  ["ssh", "prod", "uname -a"],
  ["ssh", "prod", "sudo", "reboot"],
  ["scp", "a", "prod:/etc/b"],
  ["sftp", "prod"],
];
