import type { Assignment, AssignmentList } from "./assignment.ts";

/**
 * Whether two lists ask the same of a host. Where and with which ticket an artifact is fetched changes at every poll.
 */
export function sameList(one: AssignmentList, other: AssignmentList): boolean {
  return Bun.deepEquals(asked(one), asked(other));
}

/** An assignment without what is another one at every poll. */
export function lasting({ download_url: _url, download_token: _token, ...rest }: Assignment): unknown {
  return rest;
}

function asked({ assignments, refused }: AssignmentList): unknown {
  return [assignments.map(lasting), refused.map(({ addon_id: id, version }) => [id, version])];
}
