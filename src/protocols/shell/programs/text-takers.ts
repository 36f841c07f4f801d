// Programs that take texts and names and start nothing by them: a command that stands in their
// words is talked about, not run.

const TAKERS = new Set(
  "echo printf grep egrep fgrep zgrep rg ag ack ugrep cat bat tac ls exa eza lsd head tail wc rm cp mv mkdir rmdir touch ln install chmod chown chgrp uniq cut tr diff colordiff delta cmp comm test [ cd pushd popd which type whereis whatis apropos tldr cheat tee jq yq dasel xmllint curl http https httpie xh wget logger notify-send say figlet cowsay brew port apt apt-get apt-cache aptitude dpkg dpkg-query dnf yum rpm apk pacman zypper snap flatpak pip pip3 gem true false : return exit set shopt shift read unset export declare local readonly typeset let hash alias unalias sleep date basename dirname realpath readlink stat file du df tree open xdg-open code cursor subl pbcopy xclip xsel wl-copy history kill pkill pgrep killall ps top pidof lsof md5sum sha1sum sha256sum sha512sum shasum b2sum strings nl fold fmt paste column iconv dos2unix pandoc patch hg svn base64 base32 xxd od hexdump rev seq yes gzip gunzip zcat zstd xz unzip ssh-keygen openssl printenv locale dig nslookup host ping whoami id groups uname hostname uptime pwd clear markdownlint prettier eslint biome shellcheck shfmt tsc cloc tokei glow hadolint yamllint actionlint vale codespell wait getopts".split(
    " ",
  ),
);

/** Whether what stands in the words of a program is never run by it. */
export function takesTexts(program: string): boolean {
  return TAKERS.has(program);
}
