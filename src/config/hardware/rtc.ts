import { DRIFTFIX_VALUES, RTC_VALUES } from '../keys/values.ts';
import { keySpec } from '../keys.ts';
import { parseOptionList, readChoice, renderOptionList, type ValueContext } from '../text/option-list.ts';
import type { RtcConfig } from '../types.ts';

/** Reads `RTC=`. */
export function parseRtc(text: string, context: ValueContext): RtcConfig | undefined {
  const list = parseOptionList(text, keySpec('RTC').options ?? [], 'word', context);
  const base = readChoice(context.key, list.head.trim(), RTC_VALUES, context.report);
  const driftFix = DRIFTFIX_VALUES.find((value) => value === list.get('driftfix')) ?? 'none';
  return base && { base, driftFix };
}

/** Writes a clock as {@link parseRtc} reads it. */
export function renderRtc({ base, driftFix }: RtcConfig): string {
  return renderOptionList(base, [['driftfix', driftFix === 'none' ? undefined : driftFix]]);
}

/** The clock of a machine without RTC: Windows takes that of a PC for local time. */
export function defaultRtc(os: string): RtcConfig {
  return { base: isWindows(os) ? 'localtime' : 'utc', driftFix: 'none' };
}

/** Names by which people, quickemu and Proxmox call systems by Microsoft. */
function isWindows(os: string): boolean {
  return /^(?:windows|win[-_ ]?(?:\d|nt|xp|vista|me\b)|w2k|w2003|wxp|wvista)/i.test(os);
}
