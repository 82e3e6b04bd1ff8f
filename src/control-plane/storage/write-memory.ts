import type { EventHead } from "../events/event-chain.ts";

/** About a thousand bytes each. More of them and all are forgotten before the next transaction. */
const MOST = 10_000;

/**
 * What the writes of one server have read or written and need not read again. Every change is an event, so it is
 * right for as long as the last event is the one that they left; a write that is undone takes back what it noted.
 */
export class WriteMemory {
  #head: EventHead;
  #size = 0;
  readonly #undo: (() => void)[] = [];

  /** `head` is the last event at the begin of a transaction. */
  constructor(head: EventHead) {
    this.#head = head;
  }

  /** The last event, with those of the writes of this transaction. */
  get head(): EventHead {
    return this.#head;
  }

  set head(next: EventHead) {
    const before = this.#head;
    this.#undo.push(() => {
      this.#head = before;
    });
    this.#head = next;
  }

  /** Whether it may serve a transaction that begins behind this event. */
  serves(head: EventHead): boolean {
    return head.seq === this.#head.seq && head.sha256 === this.#head.sha256 && this.#size < MOST;
  }

  /** Something was noted, `more` or less of it, and `undo` takes it back. */
  noted(more: number, undo: () => void): void {
    this.#size += more;
    this.#undo.push(() => {
      this.#size -= more;
      undo();
    });
  }

  /** The write that noted something since the last call is done. */
  keep(): void {
    this.#undo.length = 0;
  }

  /** That write is undone. */
  undo(): void {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) undo();
  }
}

/** Values of one kind by their keys, apart for each memory. */
export class Noted<T> {
  readonly #of = new WeakMap<WriteMemory, Map<string, T>>();

  /** undefined when nothing is known. */
  get(memory: WriteMemory, key: string): T | undefined {
    return this.#of.get(memory)?.get(key);
  }

  /** undefined: not known from here on. */
  set(memory: WriteMemory, key: string, value: T | undefined): void {
    let values = this.#of.get(memory);
    if (values === undefined) this.#of.set(memory, (values = new Map<string, T>()));
    const map = values;
    const before = map.get(key);
    replace(map, key, value);
    const more = Number(value !== undefined) - Number(before !== undefined);
    memory.noted(more, () => replace(map, key, before));
  }
}

function replace<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
