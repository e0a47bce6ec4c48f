import { CUSTOM_SECTION, KEYS, stemOf } from '../../config/keys.ts';
import { renderQuoted, renderValue } from '../../config/text/cfg-lines.ts';
import { renderOptionList } from '../../config/text/option-list.ts';
import { joinWords } from '../../config/text/shell-words.ts';
import type { DraftDevice, ImportDraft } from './draft.ts';

/**
 * Writes what was read as a cfg file: each key in the order of the table, and what could not be carried over as
 * comments.
 *
 * @param origin what it was read from, for the first line.
 */
export function renderDraft(draft: ImportDraft, origin: string): string {
  const lines = [comment(`Imported from ${origin}. See qemu.cfg(5).`), ''];
  const numbered = new Map(Object.entries(draft.devices));
  for (const spec of KEYS) {
    const stem = stemOf(spec);
    const value = draft.settings.get(spec.name);
    if (spec.family) lines.push(...renderFamily(stem, numbered.get(stem) ?? [], draft.settings));
    else if (value !== undefined) lines.push(`${spec.name}=${renderValue(value)}`);
  }
  if (draft.custom.length > 0) lines.push('', `[${CUSTOM_SECTION}]`, ...draft.custom.map(joinWords));
  const missing = draft.items.filter(({ outcome, isPart }) => (outcome === 'lost' || outcome === 'refused') && !isPart);
  if (missing.length > 0) {
    lines.push('', comment('Not carried over:'));
    lines.push(...missing.map(({ line, source, reason }) => comment(`  line ${line}: ${source}: ${reason ?? ''}`)));
  }
  return `${lines.join('\n')}\n`;
}

/** Members that devices stand for, or that are written as they are. */
function renderFamily(stem: string, devices: readonly DraftDevice[], settings: ReadonlyMap<string, string>): string[] {
  const lines = devices.map(({ head, options }, position) => {
    return `${stem}${position + 1}=${renderQuoted(renderOptionList(head, options))}`;
  });
  const written = [...settings].filter(([key]) => new RegExp(`^${stem}\\d+$`).test(key));
  return [...lines, ...written.map(([key, value]) => `${key}=${renderQuoted(value)}`)];
}

/** A comment is one line, and no line may have a control character. */
function comment(text: string): string {
  return `# ${text.replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, ' ')}`;
}
