#!/bin/bash
# Half an hour on a Mac: installs a release from its archive, restarts it, sends clients through it and removes it again.
#
#   bash packaging/macos-check.sh iddio-darwin-arm64.tar.gz                 a person at the screen
#   bash packaging/macos-check.sh --unattended iddio-darwin-arm64.tar.gz    a runner: skips what needs a person
#
# Needs nothing but macOS; uses git, python3, node, gh and kubectl where they are. IDDIO_CHECK_LAN=https://192.168.1.5
# adds an upstream on the local network. Written for the bash 3.2 of macOS.
set -u

attended=1
[ "${1-}" != --unattended ] || { attended=0; shift; }
archive=${1-}
[ -f "$archive" ] || { echo "usage: macos-check.sh [--unattended] <iddio-darwin-….tar.gz>" >&2; exit 2; }
[ "$(uname -s)" = Darwin ] || { echo "this is for macOS" >&2; exit 2; }
[ ! -e "$HOME/.iddio" ] || { echo "there is an installation already: iddio uninstall, and move ~/.iddio away" >&2; exit 2; }

label=dev.iddio.daemon
plist="$HOME/Library/LaunchAgents/$label.plist"
bundle="$HOME/.iddio/ca-bundle.pem"
work=$(mktemp -d)
iddio="$work/iddio"
passed=0
failed=0
skipped=0

check() {
  local name=$1
  shift
  if "$@" >"$work/said" 2>&1; then
    passed=$((passed + 1))
    echo "ok    $name"
  else
    failed=$((failed + 1))
    echo "FAIL  $name"
    sed 's/^/        /' "$work/said" | tail -15
  fi
}
skip() {
  skipped=$((skipped + 1))
  echo "skip  $1"
}
ask() {
  local answer
  printf '?     %s [y/N] ' "$1"
  read -r answer
  [ "$answer" = y ]
}
domain() {
  if launchctl print "gui/$(id -u)/$label" >/dev/null 2>&1; then echo "gui/$(id -u)"; else echo "user/$(id -u)"; fi
}
cleanup() {
  [ ! -x "$iddio" ] || "$iddio" uninstall --yes >/dev/null 2>&1
  rm -rf "$work"
}
trap cleanup EXIT

# api.github.com is inspected by the default policy, example.com passes through unread: both must verify.
clients() {
  local when=$1 url
  eval "$("$iddio" shell-init bash)"
  for url in https://api.github.com/zen https://example.com/; do
    check "curl $url $when" curl -fsS -m 30 -o /dev/null "$url"
    if command -v python3 >/dev/null; then
      check "python3 $url $when" python3 -c 'import sys, urllib.request; urllib.request.urlopen(urllib.request.Request(sys.argv[1], headers={"User-Agent": "iddio"}), timeout=30)' "$url"
    else skip "python3"; fi
    if command -v node >/dev/null && node --use-env-proxy -e 0 2>/dev/null; then
      check "node $url $when" node --use-env-proxy -e 'fetch(process.argv[1], { headers: { "User-Agent": "iddio" } }).then((r) => process.exit(r.ok ? 0 : 1), (e) => { console.error(e); process.exit(1); })' "$url"
    else skip "node, or it is too old for --use-env-proxy"; fi
  done
  if command -v git >/dev/null; then
    check "git $when" git ls-remote --exit-code https://github.com/octocat/Hello-World HEAD
  else skip "git"; fi
  if command -v gh >/dev/null && gh auth status >/dev/null 2>&1; then
    check "gh (a Go program) $when" gh api zen
  else skip "gh: not there or not logged in"; fi
}
is_running() { "$iddio" status --quiet; }
runs_soon() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    if is_running; then return 0; fi
    sleep 1
  done
  return 1
}
is_whole() { [ "$(grep -c 'BEGIN CERTIFICATE' "$bundle")" -ge 100 ]; }
no_doctor_failure() { "$iddio" doctor --json | { ! grep -q '"verdict": *"fail"'; }; }
restarted() { launchctl kickstart -k "$(domain)/$label" && sleep 1 && runs_soon; }
registered_again() { printf '<!-- changed -->\n' >>"$plist" && "$iddio" install --no-trust-ca && is_running; }
user_is_named() { "$iddio" audit show --last 50 --json | grep -q "\"user\": *\"$(id -un)\""; }
# The first start of a new file is looked through by macOS; it has been started by now.
seconds_of() { ( TIMEFORMAT=%R; { time "$@" >/dev/null 2>&1; } 2>&1 ); }
is_quick() {
  local took
  took=$(seconds_of "$@")
  echo "$took s"
  case $took in 0.[0-4]* | 0,[0-4]*) return 0 ;; *) return 1 ;; esac
}
is_owner_alone() { [ "$(stat -f %Lp "$HOME/.iddio/daemon.stderr.log")" = 600 ]; }
many_at_once() {
  local pids="" pid wrong=0
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
    curl -fsS -m 60 -o /dev/null https://example.com/ & pids="$pids $!"
    curl -sS -m 60 -o /dev/null https://api.github.com/ & pids="$pids $!"
  done
  for pid in $pids; do wait "$pid" || wrong=$((wrong + 1)); done
  "$iddio" status
  [ "$wrong" -eq 0 ]
}
is_gone() {
  local code
  launchctl print "$1/$label"
  code=$?
  [ "$code" -eq 113 ] || [ "$code" -eq 125 ] || [ "$code" -eq 112 ]
}
is_forgotten() { ! security find-certificate -c "iddio dev CA"; }

tar -xzf "$archive" -C "$work" iddio || exit 1
echo "macOS $(sw_vers -productVersion) ($(uname -m)), $archive"

check "signature" codesign --verify --strict -vv "$iddio"
check "identifier is iddio's own" sh -c "codesign -dv '$iddio' 2>&1 | grep -q '^Identifier=dev.iddio'"
check "version" "$iddio" version
check "install" "$iddio" install --no-trust-ca
check "status" is_running
echo "      status --quiet, as every shell start runs it: $(seconds_of "$iddio" status --quiet)s"
check "status --quiet takes less than half a second" is_quick "$iddio" status --quiet
check "doctor finds nothing that fails" no_doctor_failure
check "bundle is whole" is_whole
clients "after install"
check "rows name the user" user_is_named
check "stderr log is its owner's" is_owner_alone
echo "      the agent is in $(domain)"

if [ "$attended" = 1 ]; then
  check "trust (answer the windows)" "$iddio" repair --trust-ca
  check "ca info says trusted" sh -c "'$iddio' ca info | grep -qw trusted"
else skip "trust: needs a person at the screen"; fi
check "restart" restarted
check "bundle is whole after the restart" is_whole
clients "after the restart"

check "install over a changed list" registered_again
check "restart again" restarted
check "the daemon's copy is signed" codesign --verify --strict "$HOME/.iddio/bin/iddio-daemon"
check "50 requests at once" many_at_once
if [ -n "${IDDIO_CHECK_LAN-}" ]; then
  check "an upstream on the local network ($IDDIO_CHECK_LAN)" curl -kfsS -m 30 -o /dev/null "$IDDIO_CHECK_LAN"
else skip "local network: set IDDIO_CHECK_LAN=https://192.168.…"; fi
if [ "$attended" = 1 ]; then
  curl -sS -m 40 -o /dev/null -X DELETE https://api.github.com/repos/octocat/Hello-World &
  seen=false
  if ask "did a notification of a held request appear?"; then seen=true; fi
  check "a banner for the held request" "$seen"
  wait
else skip "notification: needs a person at the screen"; fi

unset HTTPS_PROXY HTTP_PROXY https_proxy http_proxy SSL_CERT_FILE CURL_CA_BUNDLE
was=$(domain)
check "uninstall" "$iddio" uninstall --yes
check "uninstall again" "$iddio" uninstall --yes
check "launchd has forgotten the agent" is_gone "$was"
check "no property list is left" test ! -e "$plist"
check "no certificate is left in the keychains" is_forgotten

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
