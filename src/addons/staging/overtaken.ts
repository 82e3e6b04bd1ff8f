/** Somebody changed the add-on while it was fetched: what was decided before does not count any more. */
export class Overtaken extends Error {}
