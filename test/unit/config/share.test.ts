import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { renderShare } from '../../../src/config/host-devices/share.ts';
import { parseGood, problemsOf } from './support.ts';

suite('SHAREx', () => {
  test('is a folder, which is shared by virtiofs under the name of its key', () => {
    const [share] = parseGood('SHARE1=data\n').shares;
    const driver = 'virtiofs';
    assert.deepEqual(share, { index: 1, path: '/etc/qemu/data', tag: 'share1', readonly: false, driver });
  });

  test('is written as it is read, with a comma in its path too', () => {
    for (const text of ['/srv/a', '/srv/a,,b,tag=my data', '/srv/a,readonly=on,driver=9p']) {
      const [share] = parseGood(`SHARE1="${text}"\n`).shares;
      assert.ok(share);
      assert.equal(renderShare(share), text);
    }
  });

  test('has a tag that the guest can tell from others, and no longer than its device takes', () => {
    assert.match(problemsOf('SHARE1=/a,tag=x\nSHARE2=/b,tag=x\n').join(), /SHARE2 has the same tag as SHARE1: "x"/);
    assert.match(problemsOf('SHARE1=/a,tag=share2\nSHARE2=/b\n').join(), /SHARE2 has the same tag as SHARE1/);
    const tag = 'x'.repeat(32);
    assert.equal(parseGood(`SHARE1=/a,tag=${tag}\n`).shares[0]?.tag, tag);
    assert.match(problemsOf(`SHARE1=/a,driver=9p,tag=${tag}\n`).join(), /longer than 31 bytes/);
    assert.match(problemsOf(`SHARE1=/a,tag=${'x'.repeat(37)}\n`).join(), /longer than 36 bytes/);
  });

  test('needs a folder, and options that there are', () => {
    assert.match(problemsOf('SHARE1=,tag=x\n').join(), /SHARE1 does not name a folder/);
    assert.match(problemsOf('SHARE1=/a,driver=nfs\n').join(), /driver must be virtiofs or 9p, not "nfs"/);
    assert.match(problemsOf('SHARE1=/a,mode=rw\n').join(), /SHARE1 has an unknown option "mode="/);
  });

  test('keeps a machine from being saved at each shutdown of the host only if virtiofsd has its state', () => {
    assert.match(problemsOf('ONSHUTDOWN=save\nSHARE1=/a\n').join(), /the folder of SHARE1/);
    assert.equal(parseGood('ONSHUTDOWN=save\nSHARE1=/a,driver=9p\n').onShutdown, 'save');
  });
});
