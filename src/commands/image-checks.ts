import { isImageDigest } from "../base/digest.ts";
import { asFailure, Failure } from "../base/failure.ts";
import { quoted } from "../base/printable.ts";
import type { JsonObject, World } from "../cli/command.ts";
import { failedLeg, type Leg } from "../pins/leg.ts";
import type { PinRow, WantedPin } from "../pins/pin.ts";
import { proveImage, type ProvenImage } from "../stores/image.ts";
import { parseImage } from "../stores/image-reference.ts";
import type { OciReference } from "../stores/oci-reference.ts";
import type { ImageSettings } from "./image-settings.ts";

/** Asks registries for the images of pins, and keeps what was proven. */
export class ImageChecks {
  readonly #settings: ImageSettings;
  readonly #world: World;
  readonly #proven: Map<string, { readonly template: string; readonly image: ProvenImage }> = new Map();

  constructor(settings: ImageSettings, world: World) {
    this.#settings = settings;
    this.#world = world;
  }

  /**
   * Reads every image of a promotion and gives the pins with their digests. Throws the Failure of the first that
   * could not be proven; nothing was written.
   */
  async proveBefore(pins: readonly WantedPin[]): Promise<readonly WantedPin[]> {
    const { image, repositories } = this.#settings;
    const references = pins.map(({ template, digest }) => {
      const repository = repositories.get(template);
      if (image !== null) return image;
      if (repository !== undefined) return atDigest(repository, digest);
      const which = pins.length === 1 ? "" : `${template}=`;
      throw new Failure("flag_missing", `--check-artifact does not know where the image of ${template} is`, {
        hint: `pass --image-repo ${which}HOST/REPO`,
      });
    });
    const resolved: WantedPin[] = [];
    for (const [index, pin] of pins.entries()) {
      const reference = references[index];
      if (reference === undefined) continue;
      const { digest } = await this.#prove(pin.template, reference);
      resolved.push({ ...pin, digest });
    }
    return resolved;
  }

  /**
   * The legs of a verification, where one whose image cannot be proven is no success. The repository is the one of
   * --image-repo, or the one that the row itself names.
   */
  async proveAfter(legs: readonly Leg[]): Promise<Leg[]> {
    const checked: Leg[] = [];
    for (const leg of legs) {
      const failure = leg.after === null ? null : await this.#failureOf(leg.after.row);
      checked.push(failure === null ? leg : failedLeg(leg, "failed", failure));
    }
    return checked;
  }

  /** Warns when the tag moved while the promotion ran: what was promoted is the digest that was read. */
  async tellDrift(): Promise<void> {
    const { image, access, rule } = this.#settings;
    const [first] = this.#proven.values();
    if (image === null || image.digest !== null || first === undefined) return;
    const { name, digest } = first.image;
    try {
      const now = await proveImage(image, access, { ...rule, tries: 1, platforms: [] });
      if (now.digest !== digest) {
        this.#world.say.warn(`${name} has moved to ${now.digest} since; promoted is ${digest}`);
      }
    } catch (error) {
      this.#world.say.debug(`${name} could not be read again: ${asFailure(error).message}`);
    }
  }

  /** The member `artifacts` of a document. */
  document(): JsonObject {
    return {
      artifacts: [...this.#proven.values()].map(({ template, image }) => ({
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

  async #failureOf(row: PinRow): Promise<Failure | null> {
    try {
      const repository = this.#settings.repositories.get(row.template);
      const reference = repository === undefined ? ofRow(row) : atDigest(repository, row.digest);
      await this.#prove(row.template, reference);
      return null;
    } catch (error) {
      const failure = asFailure(error);
      const message = `the pin is there, its image is not proven: ${failure.message}`;
      return new Failure(failure.code, message, failure);
    }
  }

  /** Once for each image, however many environments have it. */
  async #prove(template: string, reference: OciReference): Promise<ProvenImage> {
    const key = JSON.stringify([template, reference]);
    const known = this.#proven.get(key);
    if (known !== undefined) return known.image;
    const { access, rule } = this.#settings;
    const image = await proveImage(reference, access, rule);
    this.#proven.set(key, { template, image });
    const platforms = image.platforms.length === 0 ? "" : ` for ${image.platforms.join(", ")}`;
    const said = image.header === "absent" ? "no" : "another";
    const doubt = image.header === "equal" ? "" : `; its registry says ${said} digest`;
    this.#world.say.info(`${image.name} is ${image.digest}, an ${image.kind}${platforms}${doubt}`);
    return image;
  }
}

function atDigest(repository: OciReference, digest: string): OciReference {
  return parseImage(`${repository.host}/${repository.repository}@${digest}`, "the image");
}

function ofRow({ template, digest, imageRef }: PinRow): OciReference {
  if (imageRef === null) {
    throw new Failure("artifact_incomplete", `the row of ${template} names no image_ref`, {
      hint: "pass --image-repo HOST/REPO",
    });
  }
  const [name = "", found, ...more] = imageRef.split("@");
  if (found === digest && isImageDigest(found) && more.length === 0) {
    try {
      return parseImage(`${name.replace(/:[^/:]*$/u, "")}@${digest}`, "image_ref");
    } catch {}
  }
  throw new Failure("answer_malformed", `the image_ref of ${template} is ${quoted(imageRef)}`, {
    hint: "wanted HOST/REPO@DIGEST with the digest of the row; pass --image-repo HOST/REPO",
  });
}
