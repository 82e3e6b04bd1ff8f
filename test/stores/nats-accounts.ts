import { nkeys } from "@nats-io/transport-node";
import { randomUUID } from "node:crypto";

type Pair = ReturnType<typeof nkeys.createUser>;

/** A claim in the form that NATS servers read: a JWT whose algorithm is `ed25519-nkey`. */
function claim(issuer: Pair, subject: string, name: string, nats: object, more: object = {}): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const body = { jti: randomUUID(), iat: now, iss: issuer.getPublicKey(), sub: subject, name, nats, ...more };
  const signed = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part(body)}`;
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString("base64url")}`;
}

const UNLIMITED = {
  ...{ subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 },
  ...{ mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 },
};

const NO_STREAMS = { mem_storage: 0, disk_storage: 0, streams: 0, consumer: 0 };

/** An operator with one account, as a server's configuration, and `.creds` files of users of it. */
export class NatsAccounts {
  readonly #account: Pair = nkeys.createAccount();
  readonly config: string;

  constructor() {
    const operator = nkeys.createOperator();
    // JetStream keeps its own subscriptions in an account of the system.
    const [account, system] = [this.#account.getPublicKey(), nkeys.createAccount().getPublicKey()];
    const [version, type] = [2, "account"];
    const own = { type: "operator", version, system_account: system };
    const ofOperator = claim(operator, operator.getPublicKey(), "op", own);
    const ofAccount = claim(operator, account, "acc", { type, version, limits: UNLIMITED });
    const ofSystem = claim(operator, system, "sys", {
      type,
      version,
      limits: { ...UNLIMITED, ...NO_STREAMS },
    });
    this.config = [
      `operator: "${ofOperator}"`,
      `system_account: ${system}`,
      "resolver: MEMORY",
      `resolver_preload: { ${account}: "${ofAccount}", ${system}: "${ofSystem}" }`,
    ].join("\n");
  }

  /** The text of a `.creds` file; `denied` subjects may not be published to; `expires` in seconds since 1970. */
  user(denied: readonly string[] = [], expires?: number): string {
    const user = nkeys.createUser();
    const nats = {
      type: "user",
      version: 2,
      subs: -1,
      data: -1,
      payload: -1,
      pub: { deny: denied },
      sub: {},
    };
    const more = expires === undefined ? {} : { exp: expires };
    const jwt = claim(this.#account, user.getPublicKey(), "user", nats, more);
    const seed = new TextDecoder().decode(user.getSeed());
    const line = (text: string): string => `-----${text}-----`;
    return [
      ...[line("BEGIN NATS USER JWT"), jwt, line("END NATS USER JWT").replaceAll("-----", "------"), ""],
      ...[line("BEGIN USER NKEY SEED"), seed, line("END USER NKEY SEED").replaceAll("-----", "------"), ""],
    ].join("\n");
  }
}
