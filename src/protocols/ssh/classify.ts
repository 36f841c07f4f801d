// SSH for the registry: which scope lists the policy's block may hold, and the classification of a
// request that is no SSH at all. The files beside this one classify the channels of a session; they
// read command lines, so they stand on a higher floor.

import type { Classifier } from "../classifier.ts";
import { unknownClassification } from "../unknown.ts";

/** The classifier of the policy's `ssh` block. */
export const sshClassifier: Classifier = {
  protocol: "ssh",
  covers: "SSH to these hosts: shells, commands, transfers; without a port an entry means port 22.",
  scopes: [
    { keyword: "hosts", label: "host" },
    { keyword: "users", label: "user" },
  ],
  programs: [],
  needsBody: () => false,
  classify: () => unknownClassification("ssh", "it is an HTTP request to a host of SSH"),
  classifyArgv: () => unknownClassification("ssh", "a command line on this machine says nothing about SSH"),
};
