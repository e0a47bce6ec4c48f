/** One thing that came in on a monitor: text that should be a JSON value, or a byte that no JSON begins with. */
export type ScannedInput =
  | { readonly kind: 'value'; readonly text: string }
  | { readonly kind: 'stray'; readonly char: string };

/**
 * Cuts the input of a monitor the way QEMU does: a value ends where its brackets balance, not at a line feed; a control
 * byte outside a value, and a line feed inside a string, throw away what came before.
 */
export class InputScanner {
  #text = '';
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  push(input: string): ScannedInput[] {
    const found: ScannedInput[] = [];
    for (const char of input) {
      const item = this.#take(char);
      if (item !== undefined) found.push(item);
    }
    return found;
  }

  #take(char: string): ScannedInput | undefined {
    if ((char < ' ' && !'\t\n\r'.includes(char)) || char === '\ufffd' || (this.#isInString && char === '\n')) {
      this.#reset();
      return { kind: 'stray', char };
    }
    if (this.#isInString) {
      this.#text += char;
      if (this.#isEscaped) this.#isEscaped = false;
      else if (char === '\\') this.#isEscaped = true;
      else if (char === '"') this.#isInString = false;
      return undefined;
    }
    if (this.#depth === 0 && char === '\n') return this.#text.trim() === '' ? this.#reset() : this.#finish();
    this.#text += char;
    if (char === '"') this.#isInString = true;
    else if (char === '{' || char === '[') this.#depth += 1;
    else if (char === '}' || char === ']') this.#depth -= 1;
    const closes = char === '}' || char === ']';
    return closes && this.#depth <= 0 ? this.#finish() : undefined;
  }

  #finish(): ScannedInput {
    const text = this.#text;
    this.#reset();
    return { kind: 'value', text };
  }

  #reset(): undefined {
    this.#text = '';
    this.#depth = 0;
    this.#isInString = false;
    this.#isEscaped = false;
  }
}
