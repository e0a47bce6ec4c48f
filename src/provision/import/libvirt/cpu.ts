import { renderOptionList } from '../../../config/text/option-list.ts';
import { renderSize } from '../../../config/text/values.ts';
import type { ImportDraft } from '../draft.ts';
import { carry, lose, set, setChanged } from './sweep.ts';
import { bytesOf } from './units.ts';
import type { XmlElement } from './xml.ts';

/** QEMU's own model of this architecture, which libvirt takes when a domain names none. */
const DEFAULT_MODELS: Readonly<Record<string, string>> = { x86_64: 'qemu64', i686: 'qemu32' };

/** `<cpu>`: the model with its features, and the NUMA nodes. */
export function readCpu(draft: ImportDraft, root: XmlElement): void {
  const cpu = root.child('cpu');
  const arch = root.child('os')?.child('type')?.attribute('arch') ?? 'x86_64';
  const model = modelOf(draft, cpu) ?? DEFAULT_MODELS[arch];
  if (model === undefined) return;
  const flags = (cpu?.all('feature') ?? []).flatMap((feature) => flagOf(draft, feature) ?? []);
  draft.settings.set('CPU', [model, ...flags].join(','));
  const vendor = cpu?.child('vendor');
  if (vendor) lose(vendor, 'the vendor is that of the model');
  for (const cell of cpu?.child('numa')?.all('cell') ?? []) readCell(draft, cell);
}

function modelOf(draft: ImportDraft, cpu: XmlElement | undefined): string | undefined {
  const mode = cpu?.attribute('mode') ?? 'custom';
  cpu?.ignore('match', 'check', 'migratable');
  const model = cpu?.child('model');
  const name = model?.ownText();
  model?.ignore('fallback');
  if (cpu && mode === 'host-passthrough') set(draft, cpu, 'CPU', 'host');
  else if (cpu && mode === 'maximum') set(draft, cpu, 'CPU', 'max');
  else if (cpu && mode === 'host-model')
    setChanged(draft, cpu, 'CPU', 'host', 'all that the host has, not only what libvirt knows');
  else if (cpu && model && name !== undefined) {
    set(draft, model, 'CPU', name);
    carry(draft, cpu, 'CPU', name);
    return name;
  } else return undefined;
  if (model) lose(model, `the mode is "${mode}"`);
  return mode === 'maximum' ? 'max' : 'host';
}

function flagOf(draft: ImportDraft, feature: XmlElement): string | undefined {
  const name = feature.attribute('name');
  const policy = feature.attribute('policy') ?? 'require';
  if (name === undefined || !/^[\w.-]+$/.test(name)) return undefined;
  const flag = `${name}=${policy === 'disable' || policy === 'forbid' ? 'off' : 'on'}`;
  carry(draft, feature, 'CPU', flag);
  return flag;
}

function readCell(draft: ImportDraft, cell: XmlElement): void {
  const cpus = cell.attribute('cpus')?.split(',') ?? [];
  // Its text is a number in an attribute here.
  const amount = cell.attribute('memory');
  const bytes = amount === undefined ? undefined : bytesOf(asText(cell, amount));
  cell.ignore('id');
  if (bytes === undefined) return;
  const device = draft.addDevice('NUMA', renderSize(bytes));
  device.options.push(...cpus.map((range): [string, string] => ['cpus', range]));
  carry(draft, cell, device, renderOptionList(renderSize(bytes), device.options));
}

function asText(cell: XmlElement, amount: string): Pick<XmlElement, 'attribute' | 'ownText'> {
  return { attribute: (name) => cell.attribute(name), ownText: () => amount };
}

/** Features of Hyper-V that are switches, as `-cpu` has them. */
const HYPERV_SWITCHES: readonly string[] = [
  'relaxed',
  'vapic',
  'vpindex',
  'runtime',
  'synic',
  'stimer',
  'reset',
  'frequencies',
  'reenlightenment',
  'tlbflush',
  'ipi',
  'evmcs',
  'avic',
  'emsr_bitmap',
  'xmm_input',
];

/** Features that every machine of QEMU has. */
const ALWAYS: readonly string[] = ['acpi', 'apic', 'pae', 'hap', 'ioapic'];

/** `<features>`: what the board and the processor offer to the guest. */
export function readFeatures(draft: ImportDraft, root: XmlElement): void {
  for (const feature of root.all('features').flatMap(({ children }) => children)) {
    const isOn = feature.attribute('state') !== 'off';
    if (ALWAYS.includes(feature.name)) {
      if (isOn) carry(draft, feature, '', 'always on');
      else lose(feature, 'is always on');
    } else if (feature.name === 'hyperv') readHyperv(draft, feature);
    else if (feature.name === 'kvm') readKvm(draft, feature);
    else if (feature.name === 'smm') carry(draft, feature, 'FIRMWARE', 'as uefi-secure needs it');
    else if (feature.name === 'pmu') addFlag(draft, feature, `pmu=${isOn ? 'on' : 'off'}`);
    else if (feature.name === 'vmport') {
      feature.isNoted = true;
      draft.addCustom(feature, ['-machine', `vmport=${isOn ? 'on' : 'off'}`], 'an option of QEMU');
    } else if (feature.name === 'vmcoreinfo' && isOn) {
      feature.isNoted = true;
      draft.addCustom(feature, ['-device', 'vmcoreinfo'], 'an option of QEMU');
    } else if (feature.name === 'gic') {
      const version = feature.attribute('version');
      feature.isNoted = true;
      if (version !== undefined) draft.addCustom(feature, ['-machine', `gic-version=${version}`], 'an option of QEMU');
    } else lose(feature, 'has no counterpart');
  }
}

function readHyperv(draft: ImportDraft, hyperv: XmlElement): void {
  if (hyperv.attribute('mode') === 'passthrough') addFlag(draft, hyperv, 'hv-passthrough=on');
  for (const each of hyperv.children) {
    const isOn = each.attribute('state') === 'on';
    const name = each.name.replaceAll('_', '-');
    if (HYPERV_SWITCHES.includes(each.name)) {
      addFlag(draft, each, `hv-${name}=${isOn ? 'on' : 'off'}`);
      for (const part of each.children) {
        if (part.name === 'direct')
          addFlag(draft, part, `hv-${name}-direct=${part.attribute('state') === 'on' ? 'on' : 'off'}`);
      }
    } else if (each.name === 'spinlocks') {
      const retries = each.attribute('retries');
      if (isOn) addFlag(draft, each, `hv-spinlocks=0x${Number(retries ?? '4095').toString(16)}`);
      else carry(draft, each, 'CPU');
    } else if (each.name === 'vendor_id') {
      const value = each.attribute('value');
      if (isOn && value !== undefined) addFlag(draft, each, `hv-vendor-id=${value.replaceAll(',', '')}`);
      else carry(draft, each, 'CPU');
    } else lose(each, 'has no counterpart');
  }
}

function readKvm(draft: ImportDraft, kvm: XmlElement): void {
  for (const each of kvm.children) {
    const isOn = each.attribute('state') === 'on';
    if (each.name === 'hidden') addFlag(draft, each, `kvm=${isOn ? 'off' : 'on'}`);
    else if (each.name === 'hint-dedicated') addFlag(draft, each, `kvm-hint-dedicated=${isOn ? 'on' : 'off'}`);
    else if (each.name === 'poll-control') addFlag(draft, each, `kvm-poll-control=${isOn ? 'on' : 'off'}`);
    else lose(each, 'has no counterpart');
  }
}

/** Adds an option to CPU. */
function addFlag(draft: ImportDraft, element: XmlElement, flag: string): void {
  const cpu = draft.settings.get('CPU');
  if (cpu === undefined) lose(element, 'needs a model of the processor');
  else {
    draft.settings.set('CPU', `${cpu},${flag}`);
    carry(draft, element, 'CPU', flag);
  }
}
