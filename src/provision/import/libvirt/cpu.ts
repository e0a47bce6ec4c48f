import type { ImportDraft } from '../draft.ts';
import { carry, lose, set, setChanged } from './sweep.ts';
import type { XmlElement } from './xml.ts';

/** QEMU's own model of this architecture, which libvirt takes when a domain names none. */
const DEFAULT_MODELS: Readonly<Record<string, string>> = { x86_64: 'qemu64', i686: 'qemu32' };

/** `<cpu>`: the model with its features. */
export function readCpu(draft: ImportDraft, root: XmlElement): void {
  const cpu = root.child('cpu');
  const arch = root.child('os')?.child('type')?.attribute('arch') ?? 'x86_64';
  const model = modelOf(draft, cpu) ?? DEFAULT_MODELS[arch];
  if (model === undefined) return;
  const flags = [
    ...(cpu?.all('feature') ?? []).flatMap((feature) => flagOf(draft, feature) ?? []),
    ...cacheFlags(draft, cpu?.child('cache')),
  ];
  draft.settings.set('CPU', [model, ...flags].join(','));
  const vendor = cpu?.child('vendor');
  if (vendor) lose(vendor, 'the vendor is that of the model');
}

function modelOf(draft: ImportDraft, cpu: XmlElement | undefined): string | undefined {
  const mode = cpu?.attribute('mode') ?? 'custom';
  // Whether the host can do it all is checked by libvirt.
  cpu?.ignore('check');
  cpu?.ignoreUsual({ match: 'exact', migratable: 'on' });
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

/** `<cache>`: whether the guest sees the caches of the host, those that QEMU makes up, or none. */
function cacheFlags(draft: ImportDraft, cache: XmlElement | undefined): string[] {
  const flags = CACHES[cache?.attribute('mode') ?? ''];
  const level = cache?.attribute('level');
  if (!cache || flags === undefined || (level !== undefined && level !== '3')) return [];
  carry(draft, cache, 'CPU', flags.join(','));
  return [...flags];
}

/** As libvirt puts them to QEMU. */
const CACHES: Readonly<Record<string, readonly string[]>> = {
  passthrough: ['host-cache-info=on', 'l3-cache=off'],
  emulate: ['l3-cache=on'],
  disable: ['host-cache-info=off', 'l3-cache=off'],
};

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
    else if (feature.name === 'smm' && isOn) carry(draft, feature, 'FIRMWARE', 'as uefi-secure needs it');
    else if (feature.name === 'smm') lose(feature, 'is as the firmware needs it');
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
      if (version === undefined) carry(draft, feature, '', 'that of the board');
      else draft.addCustom(feature, ['-machine', `gic-version=${version}`], 'an option of QEMU');
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
  else if (/\s/.test(flag)) lose(element, 'CPU cannot have a blank in it');
  else {
    draft.settings.set('CPU', `${cpu},${flag}`);
    carry(draft, element, 'CPU', flag);
  }
}
