import { type CommandOption, property } from './options.ts';
import type { CommandSource } from './source.ts';

/** `-bios`, and flash memory with the code and the variables of UEFI. */
export function readFirmware(source: CommandSource): void {
  const { draft, files } = source;
  for (const option of source.unused('bios')) {
    if (option.value !== undefined) draft.set(source.use(option), 'FIRMWARE', imageOf(source, option.value));
  }
  const flash = flashDrives(source);
  if (flash.length === 0) {
    draft.assume('FIRMWARE', 'bios');
    return;
  }
  const [code, variables] = flash;
  const secure = source
    .unused('global')
    .find((option) => option.value?.includes('cfi.pflash01') === true && /secure(?:,value)?=on/.test(option.value));
  const kind = secure ? 'uefi-secure' : 'uefi';
  const store = variables?.file === undefined ? undefined : source.path(variables.file);
  const isThere = store !== undefined && files.exists(store);
  draft.settings.set('FIRMWARE', isThere ? `${kind},vars=${store.replaceAll(',', ',,')}` : kind);
  // Which images they are follows from FIRMWARE.
  for (const option of [...(code?.options ?? []), ...(variables?.options ?? [])]) option.isReplaced = true;
  for (const option of code?.options ?? [])
    draft.change(source.use(option), 'FIRMWARE', kind, 'the image of this host for that kind');
  for (const option of variables?.options ?? []) {
    if (isThere) draft.carry(source.use(option), 'FIRMWARE', store);
    else
      draft.change(
        source.use(option),
        'FIRMWARE',
        kind,
        'new variables: boot entries are found again, enrolled keys are not',
      );
  }
  if (secure) draft.carry(source.use(secure), 'FIRMWARE', kind);
}

/** A file where QEMU was started comes before one of QEMU's own images of that name. */
function imageOf(source: CommandSource, value: string): string {
  const path = source.path(value);
  const own = `/usr/share/qemu/${value}`;
  const isOwn = !value.includes('/') && !source.files.exists(path) && (source.files.exists(own) || !/\./.test(value));
  return isOwn ? own : path;
}

interface Flash {
  readonly file: string | undefined;
  readonly options: readonly CommandOption[];
}

function flashDrives(source: CommandSource): Flash[] {
  const drives = source.unused('drive').filter((option) => property(option, 'if') === 'pflash');
  const sorted = drives.toSorted((one, other) => unitOf(one) - unitOf(other));
  const plain = source.unused('pflash').map((option): Flash => ({ file: option.value, options: [option] }));
  const nodes = ['pflash0', 'pflash1'].flatMap((name): Flash[] => {
    const board = source.all('machine', 'M').find((option) => property(option, name) !== undefined);
    const node = board && source.byId(property(board, name), 'blockdev');
    if (!node) return [];
    const below = source.byId(property(node, 'file'), 'blockdev');
    return [
      {
        file: property(below ?? node, 'filename') ?? property(node, 'file.filename'),
        options: below ? [node, below] : [node],
      },
    ];
  });
  return [
    ...sorted.map((option): Flash => ({ file: property(option, 'file'), options: [option] })),
    ...plain,
    ...nodes,
  ];
}

function unitOf(option: CommandOption): number {
  return Number(property(option, 'unit') ?? property(option, 'index') ?? '0');
}
