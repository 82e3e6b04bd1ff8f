/** What a file that nobody meant to ship is taken for. */
export type SecretKind =
  | "env_file"
  | "private_key"
  | "npm_token"
  | "pypi_password"
  | "aws_credentials"
  | "netrc"
  | "git_credentials"
  | "docker_auth"
  | "kube_config"
  | "service_account";

/** A file by its name: a secret as it is, or one if its content is. */
type Suspicion =
  | { readonly kind: SecretKind; readonly content: null }
  | { readonly kind: SecretKind; readonly content: RegExp };

/** A character a byte, as `isSecret` reads it: a byte-order mark is three. */
const PRIVATE_KEY =
  /^(?:\u00ef\u00bb\u00bf)?\s*(?:-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-|AGE-SECRET-KEY-1|untrusted comment: [^\n]*secret key)/u;
/** A value that the file itself says; `${NAME}` is filled in elsewhere. */
const VALUE = String.raw`\s*=\s*["']?(?!\$\{)[^\s"']`;

const BY_NAME: readonly (readonly [RegExp, Suspicion])[] = [
  [
    /(?:^|\/)\.env(?:\.(?!(?:.*\.)?(?:example|sample|template|dist)$)[^/]+)?$/iu,
    { kind: "env_file", content: null },
  ],
  [/(?:^|\/)[._]netrc$/u, { kind: "netrc", content: null }],
  [/(?:^|\/)\.aws\/credentials$/u, { kind: "aws_credentials", content: null }],
  [/(?:^|\/)\.git-credentials$/u, { kind: "git_credentials", content: null }],
  [
    /(?:^|\/)\.git\/(?:.*\/)?config$/u,
    { kind: "git_credentials", content: /:\/\/[^/\s@:]*:[^/\s@]+@|extraheader\s*=\s*authorization/iu },
  ],
  [
    /(?:^|\/)\.npmrc$/u,
    { kind: "npm_token", content: new RegExp(`_(?:authToken|auth|password)${VALUE}`, "iu") },
  ],
  [
    /(?:^|\/)\.yarnrc\.yml$/u,
    { kind: "npm_token", content: /^\s*npmAuth(?:Token|Ident):\s*["']?(?!\$\{)[^\s"']/mu },
  ],
  [
    /(?:^|\/)(?:\.kube\/config|kubeconfig)$/u,
    { kind: "kube_config", content: /^\s*(?:- )?(?:token|password|client-key-data):\s*\S/mu },
  ],
  [
    /(?:^|\/)[^/]*(?:credential|service[-_]?account)[^/]*\.json$/iu,
    { kind: "service_account", content: /"(?:private_key|client_secret|refresh_token)"\s*:\s*"[^"]/u },
  ],
  [/(?:^|\/)\.pypirc$/u, { kind: "pypi_password", content: /^\s*password\s*[:=]\s*\S/imu }],
  [
    /(?:^|\/)\.docker\/config\.json$/u,
    { kind: "docker_auth", content: /"(?:auth|identitytoken)"\s*:\s*"[^"]/u },
  ],
  // By no means every name that a key may have: reading the start of every file again would cost as much as hashing.
  [
    /(?:^|\/)(?:id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|[^/]*\.(?:pem|key|p8|pk8|ppk|priv|asc|gpg|age)|[^/]*(?:private|secret|identity|signing)[^/]*)$/iu,
    { kind: "private_key", content: PRIVATE_KEY },
  ],
];

/** What the last part of each of those paths holds: decides at a glance for nearly all names. */
const HINT =
  /[._](?:env|netrc)|credential|config|\.npmrc|\.yarnrc|\.pypirc|service[-_]?account|id_|\.(?:pem|key|p8|pk8|ppk|priv|asc|gpg|age)$|private|secret|identity|signing/iu;

/** Whether a file of that name can make one think of anything, whatever folder it is in. */
export function mayBeSecret(name: string): boolean {
  return HINT.test(name);
}

/** What a path makes one think of, or null. */
export function suspicionOf(path: string): Suspicion | null {
  return BY_NAME.find(([name]) => name.test(path))?.[1] ?? null;
}

/** Whether the start of a file is what its name made one think of. */
export function isSecret(suspicion: Suspicion, start: Uint8Array): boolean {
  return suspicion.content === null || suspicion.content.test(Buffer.from(start).toString("latin1"));
}
