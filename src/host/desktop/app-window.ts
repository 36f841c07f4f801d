// A page in a window of its own, where a browser of Chromium's kind is installed for the whole
// system. Programs are started by absolute path, and not out of a folder that an agent may write.

import { existsSync } from "node:fs";

const BROWSERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  // A snap cannot read a hidden folder of the user, where the page that leads to the console is.
  linux: [
    "/usr/bin/google-chrome-stable",
    "/usr/bin/google-chrome",
    "/usr/bin/chromium",
    "/usr/bin/microsoft-edge-stable",
    "/usr/bin/brave-browser",
  ],
  darwin: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Brave Browser.app/Contents/MacOS/Brave Browser",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ],
};

/** The browser that opens windows of their own; undefined when there is none. */
export function windowBrowser(platform: NodeJS.Platform = process.platform): string | undefined {
  return (BROWSERS[platform] ?? []).find((path) => existsSync(path));
}

/** Opens a page in a window of its own; false when it could not be started. */
export function openWindow(browser: string, url: string): boolean {
  try {
    Bun.spawn([browser, `--app=${url}`], { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).unref();
    return true;
  } catch {
    return false;
  }
}
