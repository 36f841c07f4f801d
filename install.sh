#!/bin/sh
# Installs iddio for the user who runs it: downloads the archive of this system, checks it, and puts one file into
# ~/.local/bin. Needs no root. Nothing is put in place before it was checked, and then in one step.
#
#   curl -fsSL https://github.com/leonardaustin/iddio/releases/latest/download/install.sh | sh
#   sh install.sh [--version v26.0603.1148] [--dir <folder>] [--from-source] [--base <url>] [--unsigned]
#
# --base (or IDDIO_RELEASE_BASE) names another place that has the files of a release, a mirror for example.

set -eu

REPOSITORY=leonardaustin/iddio
# The key that signs releases; the same as packaging/iddio-release.pub.
PUBLIC_KEY=RWRPN8T16NvhYmERqbgB/hiKqZzYLuo2z+BX9eDXD1UWsXnCW1ERFZ9I

say() { printf '%s\n' "$*"; }
fail() {
  printf 'Error: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
  exit "${3:-1}"
}
has() { command -v "$1" >/dev/null 2>&1; }

usage() {
  say 'usage: sh install.sh [--version <version>] [--dir <folder>] [--from-source] [--base <url>] [--unsigned]'
  say ''
  say '  --version <version>  this release instead of the latest'
  say '  --dir <folder>       where the program goes (default: ~/.local/bin)'
  say '  --from-source        build the checkout that this script is in'
  say '  --base <url>         where the files of the release are'
  say '  --unsigned           go on where nothing here can check the signature'
}

version=''
folder=${IDDIO_INSTALL_DIR:-}
base=${IDDIO_RELEASE_BASE:-}
from_source=false
unsigned=false

while [ $# -gt 0 ]; do
  case $1 in
  --version | --dir | --base)
    [ $# -ge 2 ] || fail "'$1' needs a value" 'see: sh install.sh --help' 2
    case $1 in
    --version) version=$2 ;;
    --dir) folder=$2 ;;
    --base) base=$2 ;;
    esac
    shift 2
    ;;
  --version=*) version=${1#*=} && shift ;;
  --dir=*) folder=${1#*=} && shift ;;
  --base=*) base=${1#*=} && shift ;;
  --from-source) from_source=true && shift ;;
  --unsigned) unsigned=true && shift ;;
  --help | -h) usage && exit 0 ;;
  *) fail "unknown argument '$1'" 'see: sh install.sh --help' 2 ;;
  esac
done

if [ -z "$folder" ]; then
  [ -n "${HOME:-}" ] || fail 'HOME is not set' 'name a folder: --dir <folder>'
  folder=$HOME/.local/bin
fi

scratch=''
placed=''
cleanup() {
  [ -z "$scratch" ] || rm -rf "$scratch"
  [ -z "$placed" ] || rm -f "$placed"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Which of the release's archives this machine wants.
target() {
  case $(uname -s) in
  Linux) os=linux ;;
  Darwin)
    os=darwin
    macos=$(sw_vers -productVersion 2>/dev/null || true)
    case ${macos%%.*} in
    '' | *[!0-9]*) ;;
    *) [ "${macos%%.*}" -ge 13 ] || fail "this is macOS $macos" 'iddio needs macOS 13 (Ventura) or newer' ;;
    esac
    ;;
  *) fail "there is no iddio for $(uname -s)" 'it runs on Linux and macOS' ;;
  esac
  case $(uname -m) in
  x86_64 | amd64) cpu=x64 ;;
  aarch64 | arm64) cpu=arm64 ;;
  *) fail "there is no iddio for the processor $(uname -m)" 'it runs on x86-64 and arm64' ;;
  esac
  # A shell under Rosetta says x86_64 on an Apple processor.
  if [ "$os" = darwin ] && [ "$cpu" = x64 ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ]; then
    cpu=arm64
  fi
  # Written for processors from 2013 on.
  if [ "$os-$cpu" = linux-x64 ] && [ -r /proc/cpuinfo ] && ! grep -qw avx2 /proc/cpuinfo; then
    say "warning: this processor has no AVX2, so the program may end with 'Illegal instruction'" >&2
  fi
  libc=''
  if [ "$os" = linux ] && is_musl; then libc=-musl; fi
  printf '%s-%s%s' "$os" "$cpu" "$libc"
}

is_musl() {
  # glibc answers this; musl's ldd names itself.
  if has getconf && getconf GNU_LIBC_VERSION >/dev/null 2>&1; then return 1; fi
  if has ldd && ldd --version 2>&1 | grep -qi musl; then return 0; fi
  for loader in /lib/ld-musl-*; do [ -e "$loader" ] && return 0; done
  return 1
}

# wget takes a redirect to plain http like any other: each is looked at before it is followed.
by_wget() {
  at=$1
  hops=0
  until wget --quiet --server-response --max-redirect=0 --output-document="$2" "$at" 2>"$scratch/answer"; do
    next=$(sed -n 's/^ *[Ll]ocation: *\([^ ]*\).*$/\1/p' "$scratch/answer" | tr -d '\r' | tail -n 1)
    hops=$((hops + 1))
    case $next in
    https://*) ;;
    http://*) fail "$1 leads to $next, which is not https" 'name another place: --base https://…' ;;
    *) cat "$scratch/answer" >&2 && return 1 ;;
    esac
    [ "$hops" -le 10 ] || return 1
    at=$next
  done
}

download() {
  case $1 in
  https://*) protocols='=https' ;;
  http://*@*) fail "$1 is not https" 'name a place that is: --base https://…' 2 ;;
  http://localhost[:/]* | http://127.0.0.1[:/]* | http://\[::1\][:/]*) protocols='=https,http' ;;
  *) fail "$1 is not https" 'name a place that is: --base https://…' 2 ;;
  esac
  if has curl; then
    curl --fail --silent --show-error --location --retry 2 --proto "$protocols" --proto-redir '=https' --output "$2" "$1"
  elif has wget && wget --version 2>/dev/null | grep -q GNU; then
    by_wget "$1" "$2"
  else
    fail 'neither curl nor GNU wget is here' 'install one of them'
  fi || fail "cannot download $1" 'see whether that address can be reached from here, or name a mirror: --base <url>'
}

sha256() {
  if has sha256sum; then
    sha256sum "$1"
  elif has shasum; then
    shasum -a 256 "$1"
  elif has openssl; then
    openssl dgst -sha256 -r "$1"
  else
    fail 'there is nothing here to check a checksum with' 'install one of: sha256sum, shasum, openssl'
  fi | cut -d ' ' -f 1
}

# minisign's format: the signature of the file's BLAKE2b hash, and that of the signature with the trusted comment behind.
verify_by_openssl() {
  sed -n 2p "$1/SHA256SUMS.minisig" | openssl base64 -d -A >"$1/packet"
  sed -n 4p "$1/SHA256SUMS.minisig" | openssl base64 -d -A >"$1/global"
  trusted=$(sed -n '3s/^trusted comment: //p' "$1/SHA256SUMS.minisig")
  printf '%s' "$PUBLIC_KEY" | openssl base64 -d -A >"$1/key"
  [ "$(head -c 2 "$1/packet")" = ED ] && [ "$(wc -c <"$1/packet")" -eq 74 ] && [ "$(wc -c <"$1/global")" -eq 64 ] || return 1
  { printf '\060\052\060\005\006\003\053\145\160\003\041\000' && tail -c 32 "$1/key"; } >"$1/key.der"
  tail -c 64 "$1/packet" >"$1/signature"
  openssl dgst -blake2b512 -binary "$1/SHA256SUMS" >"$1/hash" || return 1
  { cat "$1/signature" && printf '%s' "$trusted"; } >"$1/signed"
  openssl pkeyutl -verify -pubin -keyform DER -inkey "$1/key.der" -rawin -in "$1/hash" -sigfile "$1/signature" >/dev/null || return 1
  openssl pkeyutl -verify -pubin -keyform DER -inkey "$1/key.der" -rawin -in "$1/signed" -sigfile "$1/global" >/dev/null || return 1
  printf '%s\n' "$trusted"
}

# The signature says that the list of checksums is the project's and of which version it is.
check_signature() {
  if has minisign; then
    comment=$(minisign -V -Q -P "$PUBLIC_KEY" -m "$1/SHA256SUMS" -x "$1/SHA256SUMS.minisig" 2>/dev/null)
  elif has openssl && openssl pkeyutl -help 2>&1 | grep -q -e -rawin; then
    comment=$(verify_by_openssl "$1" 2>/dev/null)
  elif $unsigned; then
    say 'signature not checked, as you wished (the checksum is)'
    return
  else
    fail 'nothing here can check the signature of the release' 'install minisign or OpenSSL 3; or go on without: --unsigned'
  fi ||
    fail 'the signature of this release is not right' 'do not use it; tell the project'
  [ -z "$version" ] || [ "$comment" = "iddio $version" ] ||
    fail "this is '$comment', not iddio $version" 'name the version that is there, or another place'
  say "signature is right: $comment"
}

fetch() {
  archive=iddio-$(target).tar.gz
  if [ -z "$base" ]; then
    base=https://github.com/$REPOSITORY/releases/latest/download
    [ -z "$version" ] || base=https://github.com/$REPOSITORY/releases/download/$version
  fi
  say "downloading $archive from $base"
  download "$base/SHA256SUMS" "$scratch/SHA256SUMS"
  download "$base/SHA256SUMS.minisig" "$scratch/SHA256SUMS.minisig"
  check_signature "$scratch"
  wanted=$(sed -n "s/^\([0-9a-f]\{64\}\)  $archive\$/\1/p" "$scratch/SHA256SUMS")
  [ -n "$wanted" ] || fail "this release has no $archive" 'build it yourself: sh install.sh --from-source in a checkout'
  download "$base/$archive" "$scratch/$archive"
  [ "$(sha256 "$scratch/$archive")" = "$wanted" ] ||
    fail "$archive is damaged: its checksum is not the release's" 'try again; if it stays so, do not use it'
  say 'checksum is right'
  tar -xzf "$scratch/$archive" -C "$scratch" iddio || fail "cannot unpack $archive" 'is the disk full?'
  # What a link points to is not what was signed.
  if [ -L "$scratch/iddio" ] || [ ! -f "$scratch/iddio" ]; then
    fail "$archive does not hold a program but a link" 'do not use it; tell the project'
  fi
}

build() {
  here=$(cd "$(dirname "$0")" && pwd)
  [ -f "$here/build.ts" ] || fail 'this is no checkout of iddio' 'clone the repository, then: sh install.sh --from-source'
  has npm || fail 'npm is not here' 'install Node 18 or newer'
  say "building $here"
  (cd "$here" && npm ci && IDDIO_SHIPPED=1 npm run build) || fail 'it does not build'
  cp "$here/dist/iddio" "$scratch/iddio" || fail 'cannot copy the program' 'is the disk full?'
}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/iddio-install.XXXXXX") || fail 'cannot make a temporary folder' 'is the disk full?'
if $from_source; then build; else fetch; fi

chmod 755 "$scratch/iddio"
said=$("$scratch/iddio" version) || {
  hint="it is for $(target)"
  if [ "$(uname -s)" = Linux ] && is_musl; then hint='it needs: apk add libstdc++ libgcc'; fi
  fail 'the program does not run here' "$hint"
}
[ -z "$version" ] || [ "$said" = "iddio $version" ] || fail "the archive holds '$said', not iddio $version" 'name the version that is there, or another place'

# An older release may have faults that are known by now: only who names it gets it.
had=''
if [ -x "$folder/iddio" ]; then had=$("$folder/iddio" version 2>/dev/null) || had=''; fi
case $had in
"iddio v"*)
  newer=$(printf '%s\n%s\n' "$had" "$said" | LC_ALL=C sort | tail -n 1)
  [ "$newer" = "$said" ] || [ -n "$version" ] || $from_source ||
    fail "$folder/iddio is newer: '$had', and this is '$said'" "to go back, name the version: --version ${said#iddio }"
  [ "$had" = "$said" ] || say "$said replaces $had"
  ;;
esac

mkdir -p "$folder" || fail "cannot make $folder" 'name another: --dir <folder>'
# Beside its place first, then renamed: there is never half a program, and one that runs goes on running.
placed=$folder/.iddio.$$
cp "$scratch/iddio" "$placed" || fail "cannot write to $folder" 'is the disk full, or the folder not yours? name another: --dir <folder>'
chmod 755 "$placed"
mv -f "$placed" "$folder/iddio" || fail "cannot write $folder/iddio" 'name another folder: --dir <folder>'
placed=''

say "installed $folder/iddio ($said)"
say ''
say 'next:'
case :$PATH: in
*:"$folder":*) ;;
*) say "  export PATH=\"$folder:\$PATH\"      # and in your shell's start file" ;;
esac
say '  iddio install                      # the daemon, as a service of yours'
# shellcheck disable=SC2016 # to be typed as it stands
say '  eval "$(iddio shell-init)"         # route this shell through it'
