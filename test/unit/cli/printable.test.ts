import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable, printableCell } from '../../../src/cli/output/printable.ts';

test('what a terminal obeys is written out: ESC, C0, DEL, C1, and what turns the direction of text', () => {
  assert.equal(printable('a\x1b[2Jb\x07\x9b31m\x7f'), String.raw`a\u001b[2Jb\u0007\u009b31m\u007f`);
  assert.equal(
    printable('safe\u202egpj.exe\u2066x\u200f\u061c\u2028'),
    String.raw`safe\u202egpj.exe\u2066x\u200f\u061c\u2028`,
  );
  assert.equal(printable('over\rwritten'), String.raw`over\rwritten`);
  for (let code = 0; code < 0xa0; code++) {
    const shown = printable(String.fromCharCode(code));
    assert.match(shown, /^[\t\n\x20-\x7e]+$/, `${code}`);
  }
});

test('text stays as it is: letters of any script, tabs, line ends, the line ends of a console', () => {
  const text = 'Grüße, 你好, שלום, 🙂\tx\ny\n';
  assert.equal(printable(text), text);
  assert.equal(printable('login:\r\nagain\r\r\n'), 'login:\nagain\n');
});

test('a cell of a table has no line end', () => {
  assert.equal(printableCell('a\nb\tc'), String.raw`a\nb\tc`);
});

test('JSON text means the same afterwards', () => {
  const value = { x: '\u009b\u202e\u007f' };
  const shown = printable(JSON.stringify(value));
  assert.match(shown, /^[\x20-\x7e]+$/);
  assert.deepEqual(JSON.parse(shown), value);
});
