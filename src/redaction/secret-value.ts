// Which values are secrets by their shape, whatever they are called: JSON Web Tokens, PEM private
// keys, tokens whose vendors gave them a prefix, user and password in a URL. One expression with
// one pass, so that a log line costs little; every part of it is linear.

/** Every secret is replaced by this. */
export const MASK = "***";

const SHAPES: readonly string[] = [
  // JSON Web Token: a header that begins with {" in base64url, then at least one more part.
  "\\beyJ[\\w-]{8,}\\.[\\w-]{4,}(?:\\.[\\w-]*){0,3}",
  // EKS and GitHub, GitLab, Slack, Stripe, OpenAI, Anthropic, Google, npm, PyPI, Fly, HashiCorp, DigitalOcean, Hugging Face, Doppler …
  "\\bk8s-aws-v1\\.[\\w-]{8,}=*",
  "\\b(?:gh[pousr]_\\w{16,}|github_pat_\\w{16,})",
  "\\b(?:glpat|gldt|glrt|glcbt|glptt|gloas|glsoat|glft|glagent)-[\\w.-]{12,}",
  "\\bxox[abeoprs]-[\\w-]{8,}",
  "\\bxapp-[\\w-]{16,}",
  "\\b(?:sk|rk|pk)[-_](?:live|test|proj|ant|or|svcacct|admin)[-_][\\w-]{8,}",
  "\\bsk-[A-Za-z0-9_-]{20,}",
  "\\bwhsec_[\\w+/=-]{16,}",
  "\\bAIza[\\w-]{30,}",
  "\\bya29\\.[\\w-]{16,}",
  "\\bGOCSPX-[\\w-]{16,}",
  "\\bnpm_[A-Za-z0-9]{20,}",
  "\\bpypi-[\\w-]{20,}",
  "\\b(?:fm[12][ar]?_|fo1_|FlyV1 )[\\w+/=,-]{16,}",
  "\\bhv[sbr]\\.[\\w-]{16,}",
  "\\bdo[opr]_v1_[0-9a-f]{16,}",
  "\\bhf_[A-Za-z0-9]{20,}",
  "\\bdp\\.(?:pt|st|ct|sa|scim|audit)\\.[\\w.-]{16,}",
  "\\bATATT[\\w=-]{20,}",
  "\\bSG\\.[\\w-]{16,}\\.[\\w-]{16,}",
  "\\bshp(?:at|ca|pa|ss)_[0-9a-f]{16,}",
  "\\bdckr_pat_[\\w-]{16,}",
  "\\blin_api_\\w{16,}",
  "\\bbot\\d{6,12}:[\\w-]{30,}",
  "\\bAGE-SECRET-KEY-1[0-9A-Z]{30,}",
  // AWS: key ids name a credential and are hidden as such.
  "\\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\\b",
  // Incoming webhooks are credentials by their path.
  "(?<=/services/)T\\w{6,}/B\\w{6,}/\\w{16,}",
  // A private key in PEM, line ends as such or escaped; where it has no end, to the end.
  "-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\\s\\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)",
  // `Bearer x`, `Basic x` in a text.
  "(?<=\\b(?:[Bb]earer|[Bb]asic) )[\\w.~+/=-]{12,}",
  // user:password@ and token@ in a URL.
  "(?<=\\b[a-zA-Z][a-zA-Z0-9+.-]{0,20}://)[^\\s/?#@\"'<>]{1,512}(?=@)",
];

const SECRET_VALUE = new RegExp(SHAPES.join("|"), "g");
/** Every shape has one of these in it; most texts have none, and a test of characters is all they cost. */
const HINT =
  /eyJ|k8s-aws|gh[pousr]_|_pat_|gl[a-z]+-|xox|xapp-|[srp]k[-_]|whsec|AIza|ya29|GOCSPX|npm_|pypi-|f[mo][12]|FlyV1|hv[sbr]\.|_v1_|hf_|dp\.|ATATT|SG\.|shp|lin_api|bot\d|AGE-|A[KSBC][ICA]A|services\/T|PRIVATE KEY|earer |asic |:\/\//;

/** The text with every secret that is known by its shape replaced by `***`. */
export function maskValues(text: string): string {
  return HINT.test(text) ? text.replace(SECRET_VALUE, MASK) : text;
}
