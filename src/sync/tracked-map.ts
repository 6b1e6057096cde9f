/** A map that knows which of its keys have become others since somebody last asked. Values are replaced, never changed. */
export class TrackedMap<Value> extends Map<string, Value> {
  #changed = new Set<string>();

  get isChanged(): boolean {
    return this.#changed.size > 0;
  }

  /** Puts in what was there before. */
  restore(key: string, value: Value): void {
    super.set(key, value);
  }

  /** Takes out what was there before. */
  forget(key: string): void {
    super.delete(key);
  }

  override set(key: string, value: Value): this {
    if (super.get(key) !== value) this.#changed.add(key);
    return super.set(key, value);
  }

  override delete(key: string): boolean {
    const was = super.delete(key);
    if (was) this.#changed.add(key);
    return was;
  }

  /** In the order in which they first changed; none afterwards. */
  takeChanged(): Set<string> {
    const taken = this.#changed;
    this.#changed = new Set();
    return taken;
  }
}
