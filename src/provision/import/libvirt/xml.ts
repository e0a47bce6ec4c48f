import sax from 'sax';
import { QemuError } from '../../../base/errors.ts';
import { quote } from '../../../base/text.ts';
import type { ImportPlace } from '../draft.ts';

/** Deeper nesting is refused; domains are six deep. */
const DEEPEST = 100;

/**
 * An element of an XML document. It remembers what of it was read, so that nothing of a definition is passed over in
 * silence.
 */
export class XmlElement implements ImportPlace {
  readonly name: string;
  readonly line: number;
  readonly parent: XmlElement | undefined;
  readonly children: XmlElement[] = [];
  readonly attributes: ReadonlyMap<string, string>;
  text = '';
  /** An item of the import is about it. */
  isNoted = false;
  /** Reason why it is lost with all that is in it. */
  lostReason: string | undefined;
  readonly #read = new Set<string>();
  #isTextRead = false;

  constructor(name: string, line: number, attributes: ReadonlyMap<string, string>, parent: XmlElement | undefined) {
    this.name = name;
    this.line = line;
    this.attributes = attributes;
    this.parent = parent;
  }

  /** The start tag, for messages. */
  get source(): string {
    const attributes = [...this.attributes]
      .map(([name, value]) => ` ${name}='${name === 'passwd' ? '…' : value}'`)
      .join('');
    const text = this.children.length === 0 ? this.text.trim() : '';
    return text === '' ? `<${this.name}${attributes}>` : `<${this.name}${attributes}>${text}`;
  }

  attribute(name: string): string | undefined {
    this.#read.add(name);
    return this.attributes.get(name);
  }

  /** The text without the blanks around it; undefined when there is none. */
  ownText(): string | undefined {
    this.#isTextRead = true;
    const text = this.text.trim();
    return text === '' ? undefined : text;
  }

  child(name: string): XmlElement | undefined {
    return this.children.find((each) => each.name === name);
  }

  all(name: string): XmlElement[] {
    return this.children.filter((each) => each.name === name);
  }

  /** Attributes and text that nothing has read. */
  unread(): string[] {
    const attributes = [...this.attributes.keys()].filter(
      (name) => !this.#read.has(name) && !/^xmlns(?::|$)/.test(name),
    );
    return [
      ...attributes.map((name) => `${name}='${this.attributes.get(name) ?? ''}'`),
      ...(this.#isTextRead || this.text.trim() === '' ? [] : [this.text.trim()]),
    ];
  }

  /** Whether anything of it was read. */
  get isTouched(): boolean {
    return this.#read.size > 0 || this.#isTextRead || this.isNoted;
  }

  /** Marks attributes that have no meaning here and need no mention. */
  ignore(...names: string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** The same for those that state what holds here anyway: the value, or one of several with blanks between them. */
  ignoreUsual(usual: Readonly<Record<string, string>>): void {
    for (const [name, values] of Object.entries(usual)) {
      if (values.split(' ').includes(this.attributes.get(name) ?? '')) this.#read.add(name);
    }
  }
}

/**
 * Reads an XML document. No entity but those of XML itself is known, nothing is fetched, and document type definitions
 * are refused.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` with the line.
 */
export function parseXml(text: string, path: string): XmlElement {
  const parser = sax.parser(true, { position: true });
  let root: XmlElement | undefined;
  let current: XmlElement | undefined;
  let depth = 0;
  const fail = (message: string): never => {
    throw new QemuError('QEMU_CONFIG_INVALID', `${path}:${parser.line + 1}: ${message}`);
  };
  parser.onerror = (error) => fail(quote(error.message.split('\n')[0] ?? '').slice(1, -1));
  parser.ondoctype = () => fail('document type definitions are not read');
  parser.onopentag = ({ name, attributes }) => {
    depth += 1;
    if (depth > DEEPEST) fail(`nested more than ${DEEPEST} deep`);
    const values = new Map(Object.entries(attributes).map(([key, value]) => [key, String(value)]));
    // The parser is at the end of the tag.
    const lines = text.slice(parser.startTagPosition - 1, parser.position).split('\n').length - 1;
    const element = new XmlElement(name, parser.line + 1 - lines, values, current);
    current?.children.push(element);
    root ??= element;
    current = element;
  };
  const append = (piece: string): void => {
    if (current) current.text += piece;
  };
  parser.ontext = append;
  parser.oncdata = append;
  parser.onclosetag = () => {
    depth -= 1;
    current = current?.parent;
  };
  parser.write(text.replace(/^\uFEFF/, '')).close();
  if (root === undefined) return fail('there is no element');
  return root;
}
