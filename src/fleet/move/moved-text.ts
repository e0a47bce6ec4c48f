import { basename, dirname, join } from 'node:path';
import { CUSTOM_SECTION } from '../../config/keys.ts';
import { renderMachineConfig } from '../../config/render-machine.ts';
import { scanLines } from '../../config/text/cfg-lines.ts';
import { setKey } from '../../config/text/edit-text.ts';
import type { MachineConfig } from '../../config/types.ts';
import { readConfigText } from '../../machine/config-text.ts';
import { inspectText } from '../../machine/load-config.ts';
import type { Paths } from '../../system/paths.ts';

/**
 * The text of a machine's file for another folder: the same with its comments, but that each path which is relative to
 * its folder is absolute. A file in JSON becomes a cfg.
 */
export function movedText(config: MachineConfig, { defaultsFile }: Paths): string {
  const read = config.path.endsWith('.cfg') ? readConfigText(config.path) : undefined;
  if (read === undefined || !('text' in read)) return renderMachineConfig(config);
  const elsewhere = join(dirname(config.path), '.elsewhere', basename(config.path));
  const there = inspectText(elsewhere, read.text, defaultsFile).draft;
  if (there === undefined) return renderMachineConfig(config);
  const written = new Set(valuesOf(read.text).keys());
  const before = valuesOf(renderMachineConfig(there));
  const differing = [...valuesOf(renderMachineConfig(config))].filter(
    ([key, value]) => written.has(key) && before.get(key) !== value,
  );
  return differing.reduce((text, [key, value]) => setKey(text, key, value), read.text);
}

function valuesOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...scanLines(text, CUSTOM_SECTION)].flatMap((line) =>
      line.kind === 'entry' ? [[line.key, line.value] as const] : [],
    ),
  );
}
