/** An element of XML to be written. */
export interface XmlNode {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string | undefined>>;
  readonly content?: string | readonly (XmlNode | undefined)[];
}

/** An element with attributes and a text or elements in it; attributes that are undefined are left out. */
export function element(name: string, attributes: XmlNode['attributes'] = {}, content?: XmlNode['content']): XmlNode {
  return { name, attributes, ...(content !== undefined && { content }) };
}

/** Writes an element with a line for each element in it. */
export function renderXml({ name, attributes = {}, content }: XmlNode, indent = ''): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}='${escapeXml(value)}'`],
  );
  const start = `${indent}<${name}${written.join('')}`;
  if (content === undefined) return `${start}/>\n`;
  if (typeof content === 'string') return `${start}>${escapeXml(content)}</${name}>\n`;
  const inner = content.flatMap((each) => (each === undefined ? [] : [renderXml(each, `${indent}  `)]));
  return inner.length === 0 ? `${start}/>\n` : `${start}>\n${inner.join('')}${indent}</${name}>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '"': '&quot;',
};

function escapeXml(text: string): string {
  return text.replaceAll(/[&<>'"]/g, (character) => ENTITIES[character] ?? '');
}
