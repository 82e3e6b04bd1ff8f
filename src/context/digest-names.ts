/** The digests of one enumeration, by the names that they have in the capture document. */
export const DIGEST_NAMES = ["working_tree_hash", "git_tree", "dir_hash", "tar_sha256"] as const;
export type DigestName = (typeof DIGEST_NAMES)[number];

export function isDigestName(text: string): text is DigestName {
  return DIGEST_NAMES.some((name) => name === text);
}
