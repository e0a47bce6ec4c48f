import type { SoundConfig } from '../device-config.ts';
import { AUDIO_BACKENDS, SOUND_VALUES } from '../keys/values.ts';
import { keySpec } from '../keys.ts';
import { parseOptionList, readChoice, renderOptionList, type ValueContext } from '../text/option-list.ts';

/** What is read of `SOUND=`: null is a machine without sound. */
export function parseSound(text: string, context: ValueContext): SoundConfig | null | undefined {
  const list = parseOptionList(text, keySpec('SOUND').options ?? [], 'word', context);
  const card = readChoice(context.key, list.head.trim(), SOUND_VALUES, context.report);
  if (card === undefined) return undefined;
  const backend = AUDIO_BACKENDS.find((name) => name === list.get('backend')) ?? 'none';
  if (card !== 'off') return { card: card === 'on' ? 'hda' : card, backend };
  if (list.get('backend') !== undefined) context.report(`${context.key} has backend= without a sound card`);
  return null;
}

/** Writes a sound card as {@link parseSound} reads it. */
export function renderSound(sound: SoundConfig | undefined): string {
  if (sound === undefined) return 'off';
  return renderOptionList(sound.card, [['backend', sound.backend === 'none' ? undefined : sound.backend]]);
}
