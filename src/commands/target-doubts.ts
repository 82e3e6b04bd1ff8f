import { Failure } from "../base/failure.ts";
import { isTokenText } from "../control-plane/tokens/token-text.ts";
import type { Target } from "../pins/target.ts";

/**
 * What looks like a mistake in the environments of a run: one token, or one server, under two names. Throws Failure
 * `flags_contradict` for two names of the same place, and with `strict` for one token at two places.
 */
export function doubtsAbout(targets: readonly Target[], strict: boolean): string[] {
  const doubts: string[] = [];
  for (const [index, one] of targets.entries()) {
    for (const other of targets.slice(index + 1)) {
      const doubt = doubtAbout(one, other, strict);
      if (doubt !== null) doubts.push(doubt);
    }
  }
  return doubts;
}

function doubtAbout(one: Target, other: Target, strict: boolean): string | null {
  const names = `${one.env} and ${other.env}`;
  const sameToken = one.token.value === other.token.value;
  const sameServer = one.base.origin === other.base.origin;
  if (sameToken && sameServer) {
    throw new Failure("flags_contradict", `${names} are the same environment: one server and one token`, {
      hint: "name it once; a second success would prove nothing",
    });
  }
  if (sameToken && strict) {
    throw new Failure("flags_contradict", `${names} have the same token, which --strict refuses`, {
      hint: "give each environment a token of its own",
    });
  }
  if (sameToken) return `${names} have the same token; whoever holds it can change both`;
  // The tokens of our own control plane say which environment they are for.
  const tokensDecide = isTokenText(one.token.value) && isTokenText(other.token.value);
  return sameServer && !tokensDecide ? `${names} are the same server; is one of the URLs wrong?` : null;
}

/** The known name that was probably meant: a slip of the finger, or a longer or shorter form of it. */
export function meantName(word: string, known: readonly string[], close: string | null): string | null {
  return close ?? known.find((name) => name.startsWith(word) || word.startsWith(name)) ?? null;
}
