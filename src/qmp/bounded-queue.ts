/** A first-in first-out queue that drops its oldest item when it is full. */
export class BoundedQueue<T> {
  readonly #limit: number;
  readonly #ring: (T | undefined)[] = [];
  #first = 0;
  #size = 0;

  /** @param limit most items kept, at least 1. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds an item. Returns whether the oldest was dropped for it. */
  push(item: T): boolean {
    const isFull = this.#size === this.#limit;
    if (isFull) this.shift();
    this.#ring[(this.#first + this.#size) % this.#limit] = item;
    this.#size += 1;
    return isFull;
  }

  /** Takes the oldest item out; undefined when there is none. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#first];
    this.#ring[this.#first] = undefined;
    this.#size -= 1;
    // One that is emptied again and again keeps to a short part of the ring, whatever its limit.
    this.#first = this.#size === 0 ? 0 : (this.#first + 1) % this.#limit;
    return item;
  }

  clear(): void {
    this.#ring.length = 0;
    this.#first = 0;
    this.#size = 0;
  }

  /** The items, oldest first. */
  *[Symbol.iterator](): Generator<T> {
    for (let n = 0; n < this.#size; n += 1) yield this.#ring[(this.#first + n) % this.#limit] as T;
  }
}
