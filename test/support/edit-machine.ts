import { readFileSync } from 'node:fs';
import type { Lab } from './lab.ts';

/** Sets lines of a machine's file in place of those with the same keys; an empty value removes the key. */
export function edit(root: Lab, name: string, values: Readonly<Record<string, string>>): void {
  const file = `etc/qemu/${name}-qemu.cfg`;
  const lines = readFileSync(`${root.dir}/${file}`, 'utf8').split('\n');
  const kept = lines.filter((line) => !((line.split('=')[0] ?? '') in values) && line !== '');
  const added = Object.entries(values).flatMap(([key, value]) => (value === '' ? [] : [`${key}=${value}`]));
  root.write(file, `${[...kept, ...added].join('\n')}\n`);
}
