import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { renderQuoted, renderValue } from '../../../src/config/text/cfg-lines.ts';
import { parseIni } from '../../../src/config/text/ini.ts';
import { formatIssue } from '../../../src/config/text/issues.ts';

const PATH = '/f';

function valuesOf(text: string): [string, string, number][] {
  const { entries, issues } = parseIni(text, PATH, 'custom');
  assert.deepEqual(issues, []);
  return entries.map(({ key, value, line }) => [key, value, line]);
}

function readValue(written: string): string {
  return valuesOf(`KEY=${written}\n`)[0]?.[1] ?? '';
}

function problemsOf(text: string): string[] {
  return parseIni(text, PATH, 'custom').issues.map(formatIssue);
}

/** Text that can stand on a line. */
const lineText = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[^\P{Cc}\t]/gu, ''));

suite('entries', () => {
  test('have the number of their line', () => {
    assert.deepEqual(valuesOf('# a\n\nA=1\n ; b\n\n  B = 2\n'), [
      ['A', '1', 3],
      ['B', '2', 6],
    ]);
  });

  test('CRLF files, a byte order mark and a last line without an end are read alike', () => {
    const expected = [
      ['A', '1', 1],
      ['B', 'x y', 2],
    ];
    assert.deepEqual(valuesOf('A=1\r\nB="x y"\r\n'), expected);
    assert.deepEqual(valuesOf('\uFEFFA=1\nB="x y"'), expected);
  });

  test('values are kept as they are written', () => {
    const values = [
      '$(touch x) `id` $HOME',
      'a,b=c "d" \'e\'',
      'Größe/ß ü.img',
      'a#b;c',
      'true',
      'null',
      String.raw`C:\new\;x\#`,
      'key[]=1',
      '[x]',
      '__proto__',
      'line\u2028separator\u2029',
    ];
    for (const value of values) assert.equal(readValue(value), value);
  });

  test('inside double quotes everything stands for itself, but for \\" and \\\\', () => {
    assert.equal(readValue('"a # b ; c"'), 'a # b ; c');
    assert.equal(readValue(String.raw`"a \"b\" \\ \n C:\x"`), String.raw`a "b" \ \n C:\x`);
    assert.equal(readValue('" blanks "'), ' blanks ');
    assert.equal(readValue('""'), '');
  });

  test('a comment ends an unquoted value only behind a blank', () => {
    assert.equal(readValue('a #b'), 'a');
    assert.equal(readValue('a\t; b'), 'a');
    assert.equal(readValue('#b'), '#b');
    assert.equal(readValue(' # b'), '');
    assert.equal(readValue('"a" # b'), 'a');
    assert.equal(readValue('"a";b'), 'a');
  });

  test('keys that mean something to ini or to objects are ordinary', () => {
    const keys = ['__proto__', 'constructor', 'DSK[]', 'a.b', 'true', '"q"', "'q'", 'ü', 'a;b', '12'];
    const text = keys.map((key) => `${key}=v\n`).join('');
    assert.deepEqual(
      valuesOf(text).map(([key, value]) => [key, value]),
      keys.map((key) => [key, 'v']),
    );
  });

  test('a key that is set twice is reported with both lines, and the first value counts', () => {
    const { entries, issues } = parseIni('A=1\nB=2\nA=3\n', PATH);
    assert.deepEqual(issues.map(formatIssue), ['/f:3: "A" is set twice, on lines 1 and 3 (keep one of them)']);
    assert.deepEqual(
      entries.map(({ value }) => value),
      ['1', '2'],
    );
  });
});

suite('lines that are wrong', () => {
  test('all are reported, each with its line', () => {
    assert.deepEqual(problemsOf('nothing\n=x\nexport A=1\nA B=1\nC="x\nD="x" y\nE=\'x\'\nF=“x”\n'), [
      '/f:1: "nothing" is not KEY=value (comments start with "#")',
      '/f:2: "=x" has no key before the "="',
      '/f:3: "export A" is not a key (leave out "export")',
      '/f:4: "A B" is not a key (write KEY=value)',
      String.raw`/f:5: "C": ""x" has no closing quote (write a quote inside as \")`,
      String.raw`/f:6: "D": "y" follows the closing quote (put the whole value in double quotes and write a quote inside as \")`,
      `/f:7: "E": "'x'" is in the wrong kind of quotes, which would become part of the value ` +
        '(write KEY="value"; put quotes that belong to the value inside these)',
      '/f:8: "F": "“x”" is in the wrong kind of quotes, which would become part of the value ' +
        '(write KEY="value"; put quotes that belong to the value inside these)',
    ]);
  });

  test('what looks like other quotes is taken inside double quotes, and as part of a longer value', () => {
    assert.equal(readValue(`"'x'"`), "'x'");
    assert.equal(readValue("'a' 'b'"), "'a' 'b'");
  });

  test('a line of more than 64 KiB, a control character and a NUL are one problem each', () => {
    assert.deepEqual(problemsOf(`A=1\nB=${'x'.repeat(70_000)}\nC=1\n`), [
      '/f:2: The line is longer than 65536 characters',
    ]);
    assert.deepEqual(problemsOf('A=1\nB=\u001b[31m\n'), [
      '/f:2: The line has a control character (U+001B) (is this a text file?)',
    ]);
    assert.deepEqual(problemsOf('A=1\n\u0001\n\0\0\n\0\n'), ['/f:3: The file has a NUL byte; it is not a text file']);
  });

  test('a message repeats at most 80 characters, and nothing that a terminal could obey or hide', () => {
    const [problem = ''] = problemsOf(`${'y'.repeat(100)}\n`);
    assert.match(problem, /"y{80}…" is not KEY=value/);
    assert.match(problemsOf('a\u202Eb\u00A0c\n')[0] ?? '', /"a\\u\{202e\}b\\u\{a0\}c"/);
  });
});

suite('sections', () => {
  test('the lines of the raw section are handed on as they stand, without comments', () => {
    const { entries, raw, issues } = parseIni(
      'A=1\n[custom] # c\n# d\n -device x,y="z" # e\n\nB=1\n[custom]\n-f\n',
      PATH,
      'custom',
    );
    assert.deepEqual(issues, []);
    assert.deepEqual(entries, [{ key: 'A', value: '1', line: 1 }]);
    assert.deepEqual(raw, [
      { text: '-device x,y="z" # e', line: 4 },
      { text: 'B=1', line: 6 },
      { text: '-f', line: 8 },
    ]);
  });

  test('another section is one problem, whatever is in it', () => {
    assert.deepEqual(problemsOf('[Custom]\nA=1\nA=2\nrubbish\n'), [
      '/f:1: Unknown section "[Custom]" (did you mean "[custom]"?)',
    ]);
    assert.deepEqual(problemsOf('[__proto__]\npolluted=1\n'), [
      '/f:1: Unknown section "[__proto__]" (the only section is [custom])',
    ]);
    assert.equal(Reflect.get({}, 'polluted'), undefined);
    assert.deepEqual(parseIni('[a.b]\n', PATH).issues.map(formatIssue), [
      '/f:1: Unknown section "[a.b]" (this file has no sections)',
    ]);
  });
});

suite('properties', () => {
  test('a value that is rendered reads back the same', () => {
    fc.assert(
      fc.property(lineText, (value) => {
        assert.equal(readValue(renderValue(value)), value);
        assert.equal(readValue(renderQuoted(value)), value);
        assert.equal(readValue(`${renderQuoted(value)} # comment`), value);
      }),
      { numRuns: 300 },
    );
  });

  test('lines of the raw section read back the same', () => {
    fc.assert(
      fc.property(fc.array(lineText), (texts) => {
        const lines = texts.map((text) => `-x${text}y`);
        const { raw, issues } = parseIni(['[custom]', ...lines].join('\n'), PATH, 'custom');
        assert.deepEqual(issues, []);
        assert.deepEqual(
          raw.map(({ text }) => text),
          lines,
        );
      }),
    );
  });

  test('no text makes the parser throw, and every issue has a line of the file', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\n',
        '\r\n',
        '=',
        '"',
        "'",
        '[',
        ']',
        '[custom]\n',
        '#',
        ';',
        '\\',
        ' ',
        '\0',
        '\uFEFF',
        '__proto__',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        for (const { line = 0 } of parseIni(text, PATH, 'custom').issues) {
          assert.ok(line >= 1 && line <= text.split('\n').length);
        }
      }),
      { numRuns: 500 },
    );
  });
});
