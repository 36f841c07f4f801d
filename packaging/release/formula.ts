// The Homebrew formula of a release, with the checksums of its archives.

/** The inputs of the formula. */
export interface FormulaInput {
  readonly version: string;
  readonly homepage: string;
  /** Where the release's files are. */
  readonly base: string;
  /** SHA-256 by file name. */
  readonly sums: ReadonlyMap<string, string>;
}

/** The text of iddio.rb. */
export function homebrewFormula({ version, homepage, base, sums }: FormulaInput): string {
  const source = (target: string) => {
    const name = `iddio-${target}.tar.gz`;
    return [`      url "${base}/${name}"`, `      sha256 "${sums.get(name) ?? ""}"`];
  };
  return `${[
    "# Made by build.ts for each release.",
    "class Iddio < Formula",
    '  desc "Security gateway for AI agents"',
    `  homepage "${homepage}"`,
    `  version "${version.replace(/^v/, "")}"`,
    '  license "MIT"',
    "",
    "  on_macos do",
    "    depends_on macos: :ventura",
    "    on_arm do",
    ...source("darwin-arm64"),
    "    end",
    "    on_intel do",
    ...source("darwin-x64"),
    "    end",
    "  end",
    "",
    "  on_linux do",
    "    on_arm do",
    ...source("linux-arm64"),
    "    end",
    "    on_intel do",
    ...source("linux-x64"),
    "    end",
    "  end",
    "",
    "  def install",
    // An Intel Homebrew on Apple silicon; Rosetta knows AVX2 from macOS 15 on.
    "    if OS.mac? && Hardware::CPU.in_rosetta2? && MacOS.version < :sequoia",
    '      odie "This Homebrew is the one for Intel, and before macOS 15 Rosetta lacks AVX2: use the Homebrew in /opt/homebrew"',
    "    end",
    '    bin.install "iddio"',
    '    man1.install "share/man/man1/iddio.1"',
    '    bash_completion.install "share/completions/iddio.bash" => "iddio" if File.exist? "share/completions/iddio.bash"',
    '    zsh_completion.install "share/completions/_iddio" if File.exist? "share/completions/_iddio"',
    '    fish_completion.install "share/completions/iddio.fish" if File.exist? "share/completions/iddio.fish"',
    "  end",
    "",
    "  def caveats",
    "    <<~EOS",
    "      Make the daemon a service of yours, and route this shell through it:",
    "        iddio install",
    '        eval "$(iddio shell-init)"',
    "    EOS",
    "  end",
    "",
    "  test do",
    '    assert_match version.to_s, shell_output("#{bin}/iddio version")',
    "  end",
    "end",
  ].join("\n")}\n`;
}
