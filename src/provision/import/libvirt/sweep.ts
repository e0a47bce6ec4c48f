import type { DraftDevice, ImportDraft } from '../draft.ts';
import type { XmlElement } from './xml.ts';

/** Notes that an element's value is in the cfg as it is. */
export function carry(draft: ImportDraft, element: XmlElement, key: string | DraftDevice, value?: string): void {
  element.isNoted = true;
  draft.carry(element, key, value);
}

/** Notes that an element's value is in the cfg in another form. */
export function change(
  draft: ImportDraft,
  element: XmlElement,
  key: string | DraftDevice,
  value: string | undefined,
  reason: string,
): void {
  element.isNoted = true;
  draft.change(element, key, value, reason);
}

/** Notes that an element, with all that is in it, has no place in the cfg. */
export function lose(element: XmlElement, reason: string): void {
  element.lostReason = reason;
}

/** Notes that the machine is not complete without an element. */
export function refuse(draft: ImportDraft, element: XmlElement, reason: string): void {
  element.isNoted = true;
  draft.refuse(element, reason);
  for (const each of descendants(element)) draft.lose(each, reason, true);
  element.lostReason = '';
}

/** Sets a key to what an element says. */
export function set(draft: ImportDraft, element: XmlElement, key: string, value: string): void {
  draft.settings.set(key, value);
  carry(draft, element, key, value);
}

/** Sets a key to something else than an element says. */
export function setChanged(draft: ImportDraft, element: XmlElement, key: string, value: string, reason: string): void {
  draft.settings.set(key, value);
  change(draft, element, key, value, reason);
}

/** Makes sure that every element and attribute is in the list of what became of the definition. */
export function sweep(draft: ImportDraft, element: XmlElement): void {
  if (element.lostReason !== undefined) {
    if (element.lostReason !== '') loseAll(draft, element, element.lostReason);
    return;
  }
  if (!isUsed(element)) {
    loseAll(draft, element, 'has no counterpart');
    return;
  }
  for (const part of element.unread()) {
    const reason = PART_REASONS[part.slice(0, part.indexOf('='))] ?? 'has no counterpart';
    draft.lose({ line: element.line, source: `<${element.name}> ${part}` }, reason);
  }
  // An element that only contains others.
  if (!element.isNoted) draft.carry(element, '');
  for (const child of element.children) sweep(draft, child);
}

/** Why attributes are lost, where their name alone says it. */
const PART_REASONS: Readonly<Record<string, string>> = {
  error_policy: 'the guest is stopped when there is no room left, and sees other errors',
  rerror_policy: 'the guest sees errors',
  tray: 'trays are closed at the start',
  snapshot: 'snapshots are of all disks that can have one',
  rotation_rate: 'a disk is an SSD (ssd=on) or not',
  startupPolicy: 'has to be there at each start',
  accessmode: 'owners and rights are kept beside the files, as with "mapped"',
  multidevs: 'is "remap"',
  placement: 'processors are not placed by numad',
  match: 'the processor is the model that is named',
  sharePolicy: 'viewers share the screen when they ask for it',
  websocket: 'there is no port for WebSockets: qemu-init web',
  txmode: 'is as QEMU has it',
  ioeventfd: 'is as QEMU has it',
  event_idx: 'is as QEMU has it',
  vram: 'the card has the memory that QEMU gives it',
  ram: 'the card has the memory that QEMU gives it',
  vgamem: 'the card has the memory that QEMU gives it',
  vram64: 'the card has the memory that QEMU gives it',
  heads: 'the card has one screen',
  autodeflate: 'the balloon is as QEMU has it',
  freePageReporting: 'the balloon is as QEMU has it',
  stateless: 'the firmware keeps its variables',
};

function isUsed(element: XmlElement): boolean {
  return element.isTouched || element.children.some((child) => isUsed(child) || child.lostReason !== undefined);
}

function loseAll(draft: ImportDraft, element: XmlElement, reason: string): void {
  draft.lose(element, reason);
  for (const each of descendants(element)) draft.lose(each, reason, true);
}

function descendants(element: XmlElement): XmlElement[] {
  return element.children.flatMap((child) => [child, ...descendants(child)]);
}
