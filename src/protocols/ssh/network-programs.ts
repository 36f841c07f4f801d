// Programs of the network whose second or third word decides: ip, tc, bridge, nmcli. They take the
// beginning of a word for the whole, so only words that can mean nothing but showing are a read.

import {
  breakGlass,
  isOnly,
  observe,
  operandsOf,
  type ProgramFinding,
  type Reader,
  sensitive,
  texts,
  unknown,
  vagueOf,
} from "./program-reader.ts";

const PRINTS = observe("prints the network");
const CHANGES = breakGlass("changes the network");
const SHOWS = /^(?:sh|sho|show|ls|list|lst|help)$/;

/** The words behind the options of iproute2's programs; undefined when an option does more than show. */
function wordsOf(args: Parameters<Reader>[0], values: RegExp): readonly string[] | undefined {
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const { text } = args[at] as (typeof args)[number];
    // Behind the object come words of its own, some with a dash.
    if (words.length > 0 || !text.startsWith("-")) words.push(text);
    else if (values.test(text)) at++;
    else if (
      !/^-(?:[460sdhojprtaciBDIM]{1,4}|br(?:ief)?|stat\w*|det\w*|human\w*|json|pretty|oneline|color(?:=\w+)?|resolve|timestamp|ts|iec|raw|graph|nm|names|echo|Numeric|V\w*)$/.test(
        text,
      )
    )
      return undefined;
  }
  return words;
}

const OBJECTS =
  /^(?:a|ad|addr|address|l|li|link|r|ro|route|n|ne|neigh|neighbour|rule|ru|maddr|mroute|tunnel|tuntap|netns|netconf|token|vrf|nexthop|stats|monitor|mon|help)$/;

/** Shows, or changes, addresses, links and routes. */
export const ip: Reader = (args) => {
  if (vagueOf(args)) return unknown("what it does is only known when it runs");
  if (texts(args).some((each) => /^-(?:b|batch|force)/.test(each) && !/^-br/.test(each)))
    return breakGlass("runs commands of a file");
  const words = wordsOf(args, /^-(?:f|family|rc|rcvbuf|l|loops)$/);
  if (words === undefined) return CHANGES;
  const [object = "", verb = "show"] = words;
  if (words.length === 0) return PRINTS;
  if (!OBJECTS.test(object)) return CHANGES;
  if (/^(?:help|mon|monitor)$/.test(object)) return words.includes("file") ? CHANGES : PRINTS;
  // `ip link s` sets.
  if (SHOWS.test(verb) || (verb === "s" && !/^l/.test(object))) return PRINTS;
  return /^(?:get|list-id)$/.test(verb) && !/^l/.test(object) ? PRINTS : CHANGES;
};

const only =
  (objects: RegExp): Reader =>
  (args) => {
    if (vagueOf(args)) return unknown("what it does is only known when it runs");
    const [object = "", verb = "show"] = wordsOf(args, /^$/) ?? ["?"];
    return objects.test(object) && SHOWS.test(verb) ? PRINTS : CHANGES;
  };

/** Shows, or changes, queues. */
export const tc = only(/^(?:qdisc|class|filter|chain|actions?)$/);
/** Shows, or changes, bridges. */
export const bridge = only(/^(?:link|fdb|vlan|mdb)$/);

/** The forms of nmcli that show, as a pattern of its words; objects and verbs by any of their beginnings. */
const NMCLI: readonly RegExp[] = [
  /^(?:g|gen|general)?(?: (?:s|status|permissions|hostname|logging))?$/,
  /^(?:n|net|networking)(?: (?:c|con|connectivity)(?: check)?)?$/,
  /^(?:r|radio)(?: (?:all|wifi|wwan))?$/,
  /^(?:c|con|conn|connection)(?: (?:s|sh|show)(?: .*)?)?$/,
  /^(?:d|dev|device)(?: (?:s|st|status))?$/,
  /^(?:d|dev|device) (?:sh|show)(?: \S+)?$/,
  /^(?:d|dev|device) (?:w|wifi)(?: (?:l|list)(?: .*)?)?$/,
  /^(?:m|monitor)$/,
];

/** Shows, or changes, connections. */
export const nmcli: Reader = (args, base): ProgramFinding => {
  if (vagueOf(args)) return unknown("what it does is only known when it runs");
  const all = texts(args);
  if (all.some((each) => /^(?:-\w*s|--sh)|password/.test(each)))
    return sensitive("prints secrets of networks");
  if (
    !isOnly(
      args,
      "t terse p pretty o overview a-c active nocheck v version",
      "f fields m mode c colors g get-values e escape w wait order",
    )
  )
    return CHANGES;
  const takesNext = /^-(?:[fmcgew]|-fields|-mode|-colors|-get-values|-escape|-wait|-order)$/;
  const words = operandsOf(args.filter((_, at) => !takesNext.test(all[at - 1] ?? "")))
    .map(({ text }) => text)
    .join(" ");
  return NMCLI.some((each) => each.test(words)) ? base : CHANGES;
};
