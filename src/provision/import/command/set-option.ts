import type { ImportDraft } from '../draft.ts';
import { type CommandOption, property } from './options.ts';

/**
 * Puts what `-set device.ID.PROPERTY=VALUE` says into the option with that id, as QEMU does.
 *
 * @returns the other options.
 */
export function applySet(draft: ImportDraft, options: readonly CommandOption[]): CommandOption[] {
  const rest = options.filter(({ name }) => name !== 'set');
  for (const option of options.filter(({ name }) => name === 'set')) {
    const [, group, id, name = '', value = ''] = /^(\w+)\.([^.]+)\.([^=]+)=(.*)$/s.exec(option.value ?? '') ?? [];
    const at = rest.findIndex((each) => each.name === group && property(each, 'id') === id);
    const target = rest[at];
    if (target === undefined) draft.refuse(option, `there is no "${group}" with the id "${id}"`);
    else {
      rest[at] = withProperty(target, name, value);
      draft.change(option, '', `${name}=${value}`, `said of "${id}"`);
    }
  }
  return rest;
}

function withProperty(option: CommandOption, name: string, value: string): CommandOption {
  const before = option.value ?? '';
  const text = before.startsWith('{')
    ? JSON.stringify({ ...JSON.parse(before), [name]: value })
    : `${before},${name}=${value.replaceAll(',', ',,')}`;
  return { ...option, value: text, properties: [...option.properties, [name, value]], known: new Set() };
}
