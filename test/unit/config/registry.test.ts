import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { addRegistryEntry, parseRegistry, removeRegistryEntry } from '../../../src/config/registry.ts';
import { formatIssue } from '../../../src/config/text/issues.ts';

const PATH = '/etc/qemu/qemu-init.reg';

function problemsOf(text: string): string[] {
  return parseRegistry(text, PATH).issues.map((issue) => formatIssue(issue).replace(`${PATH}:`, ''));
}

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,12}$/);

suite('parseRegistry()', () => {
  test('reads short=long and short=/folder/long in the order of the file', () => {
    const text = '# mine\nw=web\ndb=/srv/a b/ü, "x"=y/db-1 # here\nq="/srv/a # b/q1"\nsame=same\n';
    assert.deepEqual(parseRegistry(text, PATH), {
      entries: [
        { shortName: 'w', longName: 'web', dir: undefined, line: 2 },
        { shortName: 'db', longName: 'db-1', dir: '/srv/a b/ü, "x"=y', line: 3 },
        { shortName: 'q', longName: 'q1', dir: '/srv/a # b', line: 4 },
        { shortName: 'same', longName: 'same', dir: undefined, line: 5 },
      ],
      issues: [],
    });
  });

  test('a folder is taken without dots and doubled slashes', () => {
    assert.equal(parseRegistry('a=/x//y/../z/./web\n', PATH).entries[0]?.dir, '/x/z');
    assert.equal(parseRegistry('a=/web\n', PATH).entries[0]?.dir, '/');
  });

  test('names that are wrong are reported, and the other machines are there', () => {
    const text = 'a/b=x\nb=x y\nc=srv/x\nd=/srv/\ne=/srv/web-qemu.cfg\nf=x.json\ng=good\nh=\n[x]\n';
    assert.deepEqual(
      problemsOf(text).map((problem) => problem.slice(0, 60)),
      [
        '1: "a/b" is not a valid name; a name has 1 to 40 letters, di',
        '2: b: "x y" is not a valid name; a name has 1 to 40 letters,',
        '3: c: "srv/x" must be a long name or an absolute path, not a',
        '4: d: "" is not a valid name; a name has 1 to 40 letters, di',
        '5: e: "web-qemu.cfg" is a file, not a long name (leave out "',
        '6: f: "x.json" is a file, not a long name (leave out ".json"',
        '8: h: "" is not a valid name; a name has 1 to 40 letters, di',
        '9: Unknown section "[x]" (this file has no sections)',
      ],
    );
    assert.deepEqual(
      parseRegistry(text, PATH).entries.map(({ longName }) => longName),
      ['good'],
    );
  });

  test('a name is taken by one machine only, short or long, in any case', () => {
    assert.deepEqual(problemsOf('w=web\nx=Web\nWEB=y\ny=w\nw=other\n'), [
      '2: The name "Web" is already used by "w=web" in line 1',
      '3: The name "WEB" is already used by "w=web" in line 1',
      '4: The name "w" is already used by "w=web" in line 1',
      '5: "w" is set twice, on lines 1 and 5 (keep one of them)',
    ]);
  });

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.tuple(fc.string(), fc.string())), (text, pairs) => {
        parseRegistry(text, PATH);
        parseRegistry(pairs.map(([key, value]) => `${key}=${value}\n`).join(''), PATH);
      }),
    );
  });
});

suite('addRegistryEntry()', () => {
  test('adds a line at the end and keeps the rest byte for byte', () => {
    const text = '\uFEFF# c\r\n\r\nw = "web"  # x\r\nrubbish\r\n';
    assert.equal(addRegistryEntry(text, 'd', 'db'), `${text}d=db\r\n`);
    assert.equal(addRegistryEntry('', 'd', 'db'), 'd=db\n');
    assert.equal(addRegistryEntry('w=web', 'd', 'db'), 'w=web\nd=db\n');
  });

  test('writes any folder so that it reads back', () => {
    const folder = '/srv/ä b/,"c" # d\\';
    const [entry] = parseRegistry(addRegistryEntry('', 'd', `${folder}/db`), PATH).entries;
    assert.equal(entry?.dir, folder);
  });

  test('refuses names that are wrong or taken', () => {
    assert.throws(() => addRegistryEntry('w=web\n', 'W', 'x'), {
      code: 'QEMU_CONFIG_INVALID',
      message: 'Cannot register "W"',
      issues: [
        {
          file: 'qemu-init.reg',
          key: 'W',
          message: 'The name "W" is already used by "w=web" in line 1',
          severity: 'error',
        },
      ],
    });
    assert.throws(() => addRegistryEntry('w=web\n', 'x', '/srv/WEB'), { code: 'QEMU_CONFIG_INVALID' });
    assert.throws(() => addRegistryEntry('', 'a b', 'x'), { code: 'QEMU_CONFIG_INVALID' });
    assert.throws(() => addRegistryEntry('', 'a', 'b\nc=d'), { code: 'QEMU_CONFIG_INVALID' });
    assert.throws(() => addRegistryEntry('', 'a', '/x\ny/b'), { code: 'QEMU_CONFIG_INVALID' });
  });
});

suite('removeRegistryEntry()', () => {
  test('takes the line of a short or long name in any case, and keeps the rest byte for byte', () => {
    const text = '# c\r\nw=web # mine\r\n# d\r\ndb=/srv/x/db-1\r\nrubbish';
    assert.equal(removeRegistryEntry(text, 'W'), '# c\r\n# d\r\ndb=/srv/x/db-1\r\nrubbish');
    assert.equal(removeRegistryEntry(text, 'DB-1'), '# c\r\nw=web # mine\r\n# d\r\nrubbish');
    assert.equal(removeRegistryEntry(text, 'x'), text);
  });

  test('undoes addRegistryEntry()', () => {
    const lines = fc.array(fc.oneof(fc.constantFrom('', '# x', '; y', 'rubbish'), fc.string({ unit: 'grapheme' })));
    fc.assert(
      fc.property(lines, name, (others, shortName) => {
        const text = others.map((line) => `${line.replaceAll('=', '')}\n`).join('');
        assert.equal(removeRegistryEntry(addRegistryEntry(text, shortName, `/srv/${shortName}`), shortName), text);
      }),
    );
  });
});
