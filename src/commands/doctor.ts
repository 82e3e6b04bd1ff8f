import { EXIT } from "../base/exit-codes.ts";
import { Failure } from "../base/failure.ts";
import { Hasher, sha256Of } from "../base/hashing.ts";
import { referenceSha256 } from "../base/reference-hashing.ts";
import { BUILD, buildTime } from "../base/version.ts";
import { defineCommand, type Command, type World } from "../cli/command.ts";
import { eachPiece } from "../host/file-pieces.ts";
import { lookAtMachine } from "../host/machine.ts";
import { publicKeyOf, sign, verify } from "../trust/ed25519.ts";
import { findingsOf, type Finding, type SelfTest } from "./doctor-findings.ts";

export const doctor: Command = defineCommand({
  name: "doctor",
  description: "what this machine, this environment and this binary can and cannot do; changes nothing",
  args: {},
  examples: ["waybill doctor", "waybill doctor --json"],
  exits: ["mismatch"],
  emptyDocument: { checked: 0, findings: [] },
  act: async (_values, world) => {
    const machine = lookAtMachine();
    const findings = findingsOf(machine, world.env, selfTest(world), world.now(), buildTime());
    const executable = process.execPath;
    const sha256 = digestOf(executable);
    const unfit = findings.filter(({ state }) => state === "unfit");
    const failure =
      unfit.length === 0
        ? null
        : new Failure(
            "machine_unfit",
            `this machine is not fit: ${unfit.map(({ name }) => name).join(", ")}`,
            {
              hint: unfit[0]?.hint,
            },
          );
    return {
      exit: failure?.exitCode ?? EXIT.ok,
      document: {
        version: BUILD.version,
        platform: machine.platform,
        executable,
        sha256,
        checked: findings.length,
        findings,
        ...(failure === null ? {} : { error: failure.toDocument() }),
      },
      text: [
        `${"executable".padEnd(18)} ${executable}`,
        `${"sha256".padEnd(18)} ${sha256}`,
        ...findings.flatMap(lines),
        "",
      ].join("\n"),
      failures: failure === null ? [] : [failure],
    };
  },
});

function lines({ name, state, found, hint }: Finding): string[] {
  const first = `${name.padEnd(18)} ${state === "ok" ? "" : `${state.toUpperCase()}: `}${found}`;
  return hint === undefined ? [first] : [first, `${" ".repeat(19)}${hint}`];
}

/** One digest and one signature by every implementation that is inside. */
function selfTest(world: World): SelfTest {
  const message = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 31) % 251);
  const seed = message.slice(0, 32);
  return {
    hashing: sha256Of(message) === referenceSha256(message),
    // True only when both implementations say so.
    signatures: verify(sign(message, seed), message, publicKeyOf(seed)),
    git: Bun.which("git", { PATH: world.env["PATH"] ?? "" }) !== null,
  };
}

function digestOf(path: string): string {
  const hasher = new Hasher();
  eachPiece(path, (piece) => hasher.update(piece));
  return hasher.digest();
}
