import { asFailure, Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { JsonObject, World } from "../cli/command.ts";
import { failedLeg, type Leg } from "../pins/leg.ts";
import type { PinRow, WantedPin } from "../pins/pin.ts";
import { proveImage, type ProvenImage } from "../stores/image.ts";
import { parseImage } from "../stores/image-reference.ts";
import type { OciReference } from "../stores/oci-reference.ts";
import { withDigest, type ImageChecks } from "./image-flags.ts";

/** A member of `artifacts` in the documents of `promote` and `verify pin`. */
export type Artifact = { readonly template: string; readonly image: ProvenImage };

/** What was read before the first write: the pins with their digests, and the images that have them. */
export type Proven = { readonly pins: readonly WantedPin[]; readonly artifacts: readonly Artifact[] };

/** Reads every image of a promotion. Throws the Failure of the first that could not be proven; nothing was written. */
export async function proveBefore(
  checks: ImageChecks | null,
  pins: readonly WantedPin[],
  world: World,
): Promise<Proven> {
  if (checks === null) return { pins, artifacts: [] };
  const { image, access, rule } = checks;
  if (image !== null) {
    const found = await proveImage(image, access, rule);
    say(found, world);
    const resolved = withDigest(pins, found.digest);
    return { pins: resolved, artifacts: resolved.map(({ template }) => ({ template, image: found })) };
  }
  const references = pins.map((pin) => {
    const repository = checks.repositories.get(pin.template);
    if (repository !== undefined) return atDigest(repository, pin.digest);
    throw new Failure(
      "flag_missing",
      `--check-artifact does not know where the image of ${pin.template} is`,
      {
        hint: `pass --image-repo ${pins.length === 1 ? "" : `${pin.template}=`}HOST/REPO`,
      },
    );
  });
  const artifacts: Artifact[] = [];
  for (const [index, reference] of references.entries()) {
    const found = await proveImage(reference, access, rule);
    say(found, world);
    artifacts.push({ template: pins[index]?.template ?? "", image: found });
  }
  return { pins, artifacts };
}

/**
 * The legs of a verification, where one whose image cannot be proven is no success. The repository is the one of
 * --image-repo, or the one that the row itself names.
 */
export async function proveAfter(
  checks: ImageChecks | null,
  legs: readonly Leg[],
  world: World,
): Promise<{ readonly legs: readonly Leg[]; readonly artifacts: readonly Artifact[] }> {
  if (checks === null) return { legs, artifacts: [] };
  const artifacts = new Map<string, Artifact>();
  const checked: Leg[] = [];
  for (const leg of legs) {
    if (leg.after === null) {
      checked.push(leg);
      continue;
    }
    try {
      const { template } = leg.wanted;
      const repository = checks.repositories.get(template);
      const reference =
        repository === undefined ? ofRow(leg.after.row) : atDigest(repository, leg.after.row.digest);
      const key = `${template} ${reference.host}/${reference.repository}@${leg.after.row.digest}`;
      if (!artifacts.has(key)) {
        const image = await proveImage(reference, checks.access, checks.rule);
        say(image, world);
        artifacts.set(key, { template, image });
      }
      checked.push(leg);
    } catch (error) {
      const failure = asFailure(error);
      checked.push(
        failedLeg(
          leg,
          "failed",
          new Failure(failure.code, `the pin is there, its image is not proven: ${failure.message}`, failure),
        ),
      );
    }
  }
  return { legs: checked, artifacts: [...artifacts.values()] };
}

/** Warns when the tag moved while the promotion ran: what was promoted is the digest that was read. */
export async function tellDrift(checks: ImageChecks | null, proven: Proven, world: World): Promise<void> {
  const [first] = proven.artifacts;
  const image = checks?.image ?? null;
  if (checks === null || image === null || image.digest !== null || first === undefined) return;
  try {
    const { digest } = await proveImage(image, checks.access, {
      ...checks.rule,
      tries: 1,
      platforms: [],
    });
    if (digest === first.image.digest) return;
    world.say.warn(`${first.image.name} has moved to ${digest} since; promoted is ${first.image.digest}`);
  } catch (error) {
    world.say.debug(`${first.image.name} could not be read again: ${asFailure(error).message}`);
  }
}

/** A member that is there when a registry was asked. */
export function artifactDocument(checks: ImageChecks | null, artifacts: readonly Artifact[]): JsonObject {
  if (checks === null) return {};
  return {
    artifacts: artifacts.map(({ template, image }) => ({
      template,
      image: image.name,
      digest: image.digest,
      kind: image.kind,
      media_type: image.mediaType,
      bytes: image.bytes,
      platforms: image.platforms,
      digest_header: image.header,
    })),
  };
}

function atDigest(repository: OciReference, digest: string): OciReference {
  return parseImage(`${repository.host}/${repository.repository}@${digest}`, "the image");
}

function ofRow({ template, digest, imageRef: reference }: PinRow): OciReference {
  if (reference === null) {
    throw new Failure("artifact_incomplete", `the row of ${template} names no image_ref`, {
      hint: "pass --image-repo HOST/REPO",
    });
  }
  const found = /^([^@]+)@(.*)$/su.exec(reference);
  if (found?.[2] === digest) {
    try {
      return parseImage(`${(found[1] ?? "").replace(/:[^/:]*$/u, "")}@${digest}`, "image_ref");
    } catch {}
  }
  throw new Failure("answer_malformed", `the image_ref of ${template} is ${quoted(reference)}`, {
    hint: "wanted HOST/REPO@DIGEST with the digest of the row; pass --image-repo HOST/REPO",
  });
}

function say(image: ProvenImage, world: World): void {
  const platforms = image.platforms.length === 0 ? "" : ` for ${image.platforms.join(", ")}`;
  const doubt =
    image.header === "equal"
      ? ""
      : `; its registry says ${image.header === "absent" ? "no" : "another"} digest`;
  world.say.info(`${image.name} is ${image.digest}, an ${image.kind}${platforms}${doubt}`);
}
