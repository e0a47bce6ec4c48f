/**
 * An assembler for the few instructions that the tiny guest consists of: bytes, and names of places that become addresses
 * once all sizes are known.
 */

/** The BIOS puts the boot sector here and jumps to it (BIOS Boot Specification 1.01, 6.5.1). */
export const ORIGIN = 0x7c00;

/**
 * @typedef {{ kind: 'label' | 'relative' | 'relativeWord' | 'address', name: string }} Symbolic
 * @typedef {number | Symbolic | Item[]} Item
 */

/** @param {string} name @returns {Symbolic} */
export function label(name) {
  return { kind: 'label', name };
}

/** One byte: the distance from the next instruction. @param {string} name @returns {Symbolic} */
export function relative(name) {
  return { kind: 'relative', name };
}

/** @param {string} name @returns {Symbolic} */
export function address(name) {
  return { kind: 'address', name };
}

/** @param {number} value @returns {Item} */
export function word(value) {
  return [value & 0xff, (value >> 8) & 0xff];
}

/** @param {string} name @returns {Item} */
export function call(name) {
  return [0xe8, { kind: 'relativeWord', name }];
}

/** @param {string} name @returns {Item} */
export function jump(name) {
  return [0xe9, { kind: 'relativeWord', name }];
}

/** mov word [vector * 4], name; mov word [vector * 4 + 2], 0. @param {number} vector @param {string} name */
export function handler(vector, name) {
  return [
    [0xc7, 0x06, word(vector * 4), address(name)],
    [0xc7, 0x06, word(vector * 4 + 2), word(0)],
  ];
}

/** mov al, value; out port, al. @param {number} port @param {number} value */
export function outByte(port, value) {
  return [0xb0, value, 0xe6, port];
}

/** mov dx, port; mov al, value; out dx, al. @param {number} port @param {number} value */
export function out8(port, value) {
  return [0xba, word(port), 0xb0, value, 0xee];
}

/** mov dx, port; mov ax, value; out dx, ax. @param {number} port @param {number} value */
export function out16(port, value) {
  return [0xba, word(port), 0xb8, word(value), 0xef];
}

/** @param {Item} program @returns {number[]} */
export function assemble(program) {
  const items = flatten(program);
  const size = { label: 0, relative: 1, relativeWord: 2, address: 2 };
  /** @type {Map<string, number>} */
  const labels = new Map();
  let end = 0;
  for (const item of items) {
    if (typeof item === 'number') end += 1;
    else if (item.kind === 'label') labels.set(item.name, end);
    else end += size[item.kind];
  }
  /** @type {number[]} */
  const bytes = [];
  for (const item of items) {
    if (typeof item === 'number') bytes.push(item);
    else if (item.kind !== 'label') bytes.push(...resolve(item, labels, bytes.length));
  }
  return bytes;
}

/** @param {Item} item @returns {(number | Symbolic)[]} */
function flatten(item) {
  return Array.isArray(item) ? item.flatMap(flatten) : [item];
}

/** @param {Symbolic} item @param {ReadonlyMap<string, number>} labels @param {number} at */
function resolve({ kind, name }, labels, at) {
  const target = labels.get(name);
  if (target === undefined) throw new Error(`No label "${name}"`);
  if (kind === 'address') return bytesOf(ORIGIN + target);
  if (kind === 'relativeWord') return bytesOf(target - at - 2);
  const distance = target - at - 1;
  if (distance < -128 || distance > 127) throw new RangeError(`Label "${name}" is too far away`);
  return [distance & 0xff];
}

/** @param {number} value */
function bytesOf(value) {
  return [value & 0xff, (value >> 8) & 0xff];
}
