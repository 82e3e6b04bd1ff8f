/** One environment: a control plane and the credentials for it. */
export type Target = {
  readonly env: string;
  readonly base: URL;
  /** Where the URL is written, for messages: `$CP_HOST`, `--target prod`. */
  readonly from: string;
  /** Promotes, and reads too unless there is a read token. */
  readonly token: Credential;
  readonly readToken: Credential | null;
};

const ENVIRONMENT_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/u;

export function isEnvironmentName(text: string): boolean {
  return ENVIRONMENT_NAME.test(text);
}

/** A token with the name of where it came from; only the name is ever shown. */
export type Credential = { readonly name: string; readonly value: string };
