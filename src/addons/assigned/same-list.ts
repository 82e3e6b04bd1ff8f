import type { Assignment, AssignmentList } from "./assignment.ts";

/** Whether two lists ask the same of a host. Where and with which ticket an artifact is fetched changes at every poll. */
export function sameList(one: AssignmentList, other: AssignmentList): boolean {
  return Bun.deepEquals(asked(one), asked(other));
}

function asked({ assignments, refused }: AssignmentList): unknown {
  const lasting = assignments.map(
    ({ download_url: _url, download_token: _token, ...rest }: Assignment) => rest,
  );
  return [lasting, refused.map(({ addon_id: id, version }) => [id, version])];
}
