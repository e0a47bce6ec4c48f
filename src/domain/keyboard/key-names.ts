import { QemuError } from '../../base/errors.ts';
import { nearest } from '../../base/text.ts';

/** The names of keys (QKeyCode of QEMU 7.2's QMP), which say where a key is on a keyboard for the USA. */
export const KEY_NAMES: readonly string[] = `
shift shift_r alt alt_r ctrl ctrl_r menu esc 1 2 3 4 5 6 7 8 9 0 minus equal backspace tab q w e r t y u i o
p bracket_left bracket_right ret a s d f g h j k l semicolon apostrophe grave_accent backslash z x c v b n m
comma dot slash asterisk spc caps_lock f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 num_lock scroll_lock kp_divide
kp_multiply kp_subtract kp_add kp_enter kp_decimal sysrq kp_0 kp_1 kp_2 kp_3 kp_4 kp_5 kp_6 kp_7 kp_8 kp_9
less f11 f12 print home pgup pgdn end left up down right insert delete stop again props undo front copy open
paste find cut lf help meta_l meta_r compose pause ro hiragana henkan yen muhenkan katakanahiragana kp_comma
kp_equals power sleep wake audionext audioprev audiostop audioplay audiomute volumeup volumedown mediaselect
mail calculator computer ac_home ac_back ac_forward ac_refresh ac_bookmarks lang1 lang2
`
  .trim()
  .split(/\s+/);

/** Names that people expect. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  altgr: 'alt_r',
  control: 'ctrl',
  del: 'delete',
  enter: 'ret',
  escape: 'esc',
  ins: 'insert',
  meta: 'meta_l',
  pagedown: 'pgdn',
  pageup: 'pgup',
  printscreen: 'print',
  return: 'ret',
  space: 'spc',
  super: 'meta_l',
  win: 'meta_l',
};

/** More cannot be pressed with two hands. */
const MOST_KEYS = 10;

/**
 * The keys of a combination such as `ctrl-alt-delete`, in the order in which they are pressed. Pure.
 *
 * @throws {QemuError} `QEMU_USAGE` for a name that QEMU does not have, with the nearest one.
 */
export function parseCombination(text: string): readonly string[] {
  const names = text
    .toLowerCase()
    .split('-')
    .map((name) => OTHER_NAMES[name] ?? name);
  if (names.length > MOST_KEYS) throw new QemuError('QEMU_USAGE', `"${text}" has more than ${MOST_KEYS} keys`);
  const unknown = names.find((name) => !KEY_NAMES.includes(name));
  if (unknown === undefined) return names;
  if (unknown === '') {
    throw new QemuError('QEMU_USAGE', `"${text}" has a key without a name`, { hint: 'the key "-" is called minus' });
  }
  const near = nearest(unknown, [...KEY_NAMES, ...Object.keys(OTHER_NAMES)]);
  throw new QemuError('QEMU_USAGE', `There is no key "${unknown}"`, {
    hint: near === undefined ? 'the keys are listed under sendkey in qemu-init(8)' : `did you mean "${near}"?`,
  });
}
