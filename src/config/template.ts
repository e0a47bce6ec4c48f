import type { KeySpec, OptionSpec } from './keys/key-spec.ts';
import { CUSTOM_SECTION, firstKey, KEYS, keyPattern, MONITOR_KEYS } from './keys.ts';
import { renderValue } from './text/cfg-lines.ts';

/** `template-qemu.cfg`: every key with its default, commented out, and one line of explanation. */
export function renderTemplate(): string {
  return paragraphs([
    [
      '# <name>-qemu.cfg: a machine of qemu-init. See qemu.cfg(5).',
      '#',
      '# KEY=value or KEY="value"; "#" and ";" start comments. Nothing is executed or expanded. The commented-out',
      '# lines show the defaults, or an example if there is none. Paths are relative to the folder of this file.',
    ],
    ...renderGroups(KEYS),
    [
      '# Raw QEMU options, one per line as on the command line; they come last. Put comments on separate lines.',
      `#[${CUSTOM_SECTION}]`,
      '#-fw_cfg name=opt/org.example/greeting,string=hello',
    ],
  ]);
}

/** `defaults-qemu.cfg`: the keys that all machines of a host can share, commented out. */
export function renderDefaults(): string {
  return paragraphs([
    ['# defaults-qemu.cfg: defaults for all machines of this host; their own files override them. See qemu.cfg(5).'],
    ...renderGroups(KEYS.filter(({ inDefaults }) => inDefaults !== false)),
  ]);
}

/** `monitor.conf`: every key with its default, commented out. */
export function renderMonitorConf(): string {
  return paragraphs([
    ['# monitor.conf: ports of the monitors and of VNC. See qemu.cfg(5).'],
    ...renderGroups(MONITOR_KEYS),
  ]);
}

/** `qemu-init.reg` without a machine. */
export function renderEmptyRegistry(): string {
  return paragraphs([
    [
      '# qemu-init.reg: the machines of this host, in the order in which they are listed. See qemu.cfg(5).',
      '#',
      '#   short=long                    <long>-qemu.cfg in this folder, or in its folder below the state folder',
      '#   short=/absolute/folder/long   <long>-qemu.cfg in that folder',
      '#',
      '# "qemu-init register" and "qemu-init unregister" edit this file and keep its comments and order.',
    ],
  ]);
}

function renderGroups(specs: readonly KeySpec[]): string[][] {
  const common = specs.filter(({ isRare }) => !isRare);
  const rare = specs.filter(({ isRare }) => isRare);
  return [...byGroup(common, ''), ...byGroup(rare, ' (rarely needed)')];
}

function byGroup(specs: readonly KeySpec[], suffix: string): string[][] {
  const groups = [...new Set(specs.map(({ group }) => group))];
  return groups.flatMap((group) => {
    return [[`## ${group}${suffix}`], ...specs.filter((spec) => spec.group === group).map(renderKey)];
  });
}

function renderKey(spec: KeySpec): string[] {
  const value = spec.default === '' ? (spec.example ?? '') : spec.default;
  return [
    `# ${keyPattern(spec)}: ${spec.doc}`,
    ...choicesOf(spec).map((choices) => `#   ${choices}`),
    ...(spec.options ?? []).flatMap((option) => [
      `#   ,${option.name}=  ${option.doc}`,
      ...choicesOf(option).map((choices) => `#     ${choices}`),
    ]),
    `#${firstKey(spec)}=${renderValue(value)}`,
  ];
}

/** The allowed words, for a choice whose line does not name them. */
function choicesOf(spec: KeySpec | OptionSpec): string[] {
  const { doc, type, values = [] } = spec;
  const isSaid = type !== 'choice' || values.every((value) => doc.includes(value));
  return isSaid ? [] : [values.join(', ')];
}

function paragraphs(blocks: readonly (readonly string[])[]): string {
  return `${blocks.map((block) => block.join('\n')).join('\n\n')}\n`;
}
