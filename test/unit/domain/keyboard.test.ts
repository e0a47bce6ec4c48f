import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEY_NAMES, parseCombination } from '../../../src/domain/keyboard/key-names.ts';
import { LAYOUTS, ROWS } from '../../../src/domain/keyboard/layouts.ts';
import { strokesFor } from '../../../src/domain/keyboard/strokes.ts';

test('a combination of keys is read with the names that people expect, and a wrong one names the nearest', () => {
  assert.deepEqual(parseCombination('Ctrl-Alt-Del'), ['ctrl', 'alt', 'delete']);
  assert.deepEqual(parseCombination('win'), ['meta_l']);
  assert.throws(() => parseCombination('ctrl-alt-delet'), { code: 'QEMU_USAGE', hint: 'did you mean "delete"?' });
  assert.throws(() => parseCombination('ctrl--'), { code: 'QEMU_USAGE', hint: /minus/ });
  assert.throws(() => parseCombination('toString'), { code: 'QEMU_USAGE' });
  assert.throws(() => parseCombination('a-'.repeat(20).slice(0, -1)), { code: 'QEMU_USAGE' });
});

test('a text is typed by the layout of the guest, dead keys included', () => {
  assert.deepEqual(strokesFor('yZ\n', 'us'), [['y'], ['shift', 'z'], ['ret']]);
  assert.deepEqual(strokesFor('yZ@', 'de'), [['z'], ['shift', 'y'], ['alt_r', 'q']]);
  assert.deepEqual(strokesFor('^é', 'de'), [['grave_accent'], ['spc'], ['equal'], ['e']]);
  assert.deepEqual(strokesFor('a1é', 'fr'), [['q'], ['shift', '1'], ['2']]);
  assert.throws(() => strokesFor('aß\u0001', 'en-us'), { code: 'QEMU_USAGE', message: /has no "ß", "\\u0001"/ });
  assert.throws(() => strokesFor('a', 'tlh'), { code: 'QEMU_USAGE', hint: /en-us, en-gb, de, fr/ });
});

test('every layout has all of ASCII, and no more characters than keys', () => {
  const ascii = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join('');
  for (const [name, layout] of Object.entries(LAYOUTS)) {
    assert.equal(
      strokesFor(ascii, name)
        .flat()
        .every((key) => KEY_NAMES.includes(key)),
      true,
      name,
    );
    for (const level of [layout.plain, layout.shift, layout.altGr]) {
      for (const [row, chars] of level.entries()) assert.ok(Array.from(chars).length <= (ROWS[row]?.length ?? 0), name);
    }
  }
});
