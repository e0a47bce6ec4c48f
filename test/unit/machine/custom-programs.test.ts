import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customPrograms } from '../../../src/machine/check/custom-programs.ts';

function programs(...args: string[]): string[] {
  const lines = [{ args, origin: { file: 'x', line: 1 } }];
  return customPrograms(lines, '/srv').map(({ program, args: rest, isRun }) =>
    [isRun ? 'runs' : 'reads', program, ...rest].join(' '),
  );
}

test('what [custom] has QEMU run, load or take options from is found, however it is written', () => {
  assert.deepEqual(programs('-netdev', 'tap,id=n,script=/x,,y,downscript=no'), ['runs /x,y']);
  assert.deepEqual(programs('-nic', 'tap,script=up,downscript=./down'), ['runs up', 'runs /srv/down']);
  assert.deepEqual(programs('-netdev', 'bridge,id=n,helper=/x --br=br0'), ['runs /x --br=br0']);
  assert.deepEqual(programs('-netdev', 'user,id=n,guestfwd=tcp:10.0.2.1:1-cmd:/x a,guestfwd=tcp:10.0.2.1:2-tcp:h:1'), [
    'runs /x a',
  ]);
  assert.deepEqual(programs('-netdev', '{"type":"tap","id":"n","script":"/x"}'), ['runs /x']);
  assert.deepEqual(programs('-netdev', '{"type":"user","id":"n","guestfwd":[{"str":"tcp:10.0.2.1:1-cmd:/x"}]}'), [
    'runs /x',
  ]);
  assert.deepEqual(programs('--incoming', 'exec:(/x < /y)'), ['reads /x < /y']);
  assert.deepEqual(programs('-plugin', 'file=/x,a=b', '-plugin', './x.so'), ['reads /x', 'reads /srv/x.so']);
  assert.deepEqual(programs('-readconfig', 'more.cfg'), ['reads /srv/more.cfg']);
  assert.deepEqual(programs('-netdev', 'user,id=n,guestfwd=tcp:10.0.2.1:1-tcp:h:1', '-device', 'x,script=/x'), []);
});
