/** A code block of a page: what is typed, and what that prints; or a file. */
export type PageBlock =
  | { readonly kind: 'typed'; readonly lines: readonly TypedLine[] }
  | { readonly kind: 'file'; readonly text: string };

/** A line after a prompt such as `node1#`. */
export interface TypedLine {
  /** `node1`; `both`. */
  readonly where: string;
  readonly text: string;
  /** What the page shows that it prints; empty: nothing is shown. */
  readonly printed: string;
}

/** The code blocks of a page in Markdown, from one heading to another. Pure. */
export function pageBlocks(page: string): PageBlock[] {
  return [...page.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, text = '']): PageBlock => {
    const lines = typedLines(text);
    return lines.length === 0 ? { kind: 'file', text } : { kind: 'typed', lines };
  });
}

const PROMPT = /^(both|node\d)# +(.*)$/;

function typedLines(text: string): TypedLine[] {
  const found: { where: string; text: string; printed: string }[] = [];
  // What ends in a backslash goes on.
  for (const line of text.replaceAll(/\\\n\s*/g, '').split('\n')) {
    const [, where, typed = ''] = PROMPT.exec(line) ?? [];
    const last = found.at(-1);
    if (where !== undefined) found.push({ where, text: typed, printed: '' });
    else if (last !== undefined && line !== '') last.printed += `${line}\n`;
  }
  return found;
}
