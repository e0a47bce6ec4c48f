import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { bareDebian } from '../support/bare-debian.ts';
import { makeNodes, type Node } from '../support/cluster-nodes.ts';
import { guestDisk } from '../support/guest-disk.ts';
import { copyProject } from '../support/nspawn.ts';
import { type PageBlock, pageBlocks } from '../support/page-lines.ts';
import { repoRoot } from '../support/repo.ts';
import { tempDir } from '../support/temp-root.ts';
import { wait } from './cluster.ts';

const { archive = '', obstacle } = bareDebian();

/** Other names than those of the page: `node1` is what Debian calls the cluster of one node that it makes. */
const NAMES = ['ant', 'bee'] as const;

describe('docs/two-servers.md, line by line on two bare Debians', { skip: obstacle }, () => {
  const page = readFileSync(join(repoRoot, 'docs/two-servers.md'), 'utf8')
    .replaceAll('node1', NAMES[0])
    .replaceAll('node2', NAMES[1]);
  const section = (heading: string): PageBlock[] => {
    const from = page.indexOf(`\n## ${heading}\n`);
    assert.ok(from >= 0, heading);
    const to = page.indexOf('\n## ', from + 1);
    return pageBlocks(page.slice(from, to).replaceAll(/^(ant|bee)#/gm, (_, name) => `node${name === 'ant' ? 1 : 2}#`));
  };
  const { nodes, shared, fenced } = makeNodes({ after: (body) => after(body) }, 2, archive, {
    names: NAMES,
    isSystem: true,
  });
  const [one, two] = nodes;
  assert.ok(one && two);
  let folder = '/root';

  /** Types all lines of a block, and compares what is printed with what the page shows. */
  const type = (block: PageBlock | undefined, change = (text: string): string => text): void => {
    assert.equal(block?.kind, 'typed');
    for (const { where, text, printed } of block.lines) {
      const there: readonly Node[] = where === 'both' ? nodes : [where === 'node1' ? one : two];
      for (const { name, host } of there) {
        const { code, stdout, stderr } = host.run('cd "$1" && exec bash -c "$2"', folder, change(text));
        assert.equal(code, 0, `${name}# ${text}: ${stdout}${stderr}`);
        if (printed !== '') assert.equal(stdout, printed, `${name}# ${text}: ${stderr}`);
      }
    }
  };
  const runsOn = ({ peek }: Node): boolean => {
    const pid = peek('/run/qemu-init/web/qemu/pid')?.trim() ?? '';
    return pid !== '' && (peek(`/proc/${pid}/comm`)?.startsWith('qemu-') ?? false);
  };
  const isOnlyOn = (node: Node): boolean => nodes.every((each) => runsOn(each) === (each === node));
  const settle = (): void => void one.host.sh('crm_resource --wait');
  const areOnline = (): boolean => one.host.run('crm_mon -1').stdout.includes(`Online: [ ${NAMES.join(' ')} ]`);

  before(async () => {
    for (const node of nodes) {
      // The installer does that.
      execFileSync('ssh-keygen', ['-A', '-f', node.host.dir]);
      await node.boot();
      // An administrator answers yes to each question.
      node.host.write('/etc/apt/apt.conf.d/yes', 'APT::Get::Assume-Yes "true";\n');
      assert.notEqual(node.host.run('command -v qemu-img || command -v corosync || command -v node').code, 0);
    }
  });

  test('the nodes are set up, and see each other', async () => {
    const [qemu, install, hosts, keys, login, packages, conf, start, ...more] = section('Set up the nodes');
    assert.deepEqual(more, []);
    type(qemu);
    for (const { host } of nodes) {
      // Node.js from its archive, and a folder that was built elsewhere.
      copyFileSync(process.execPath, join(host.dir, 'usr/local/bin/node'));
      copyProject(host, '/root/qemu-init');
    }
    folder = '/root/qemu-init';
    type(install);
    folder = '/root';
    type(hosts);
    type(keys);
    for (const { host } of nodes) {
      for (const other of nodes.filter((each) => each.host !== host)) {
        host.write('/root/.ssh/authorized_keys', other.host.read('/root/.ssh/id_ed25519.pub'), 0o600);
        host.sh('ssh-keyscan -t ed25519 "$1" >>/root/.ssh/known_hosts', other.name);
      }
    }
    type(login);
    type(packages);
    assert.equal(conf?.kind, 'file');
    for (const { host } of nodes) host.write('/etc/corosync/corosync.conf', conf.text);
    type(start);
    await wait('both are online', areOnline);
    // Debian makes a cluster of one node, with another name, when it installs Pacemaker.
    for (const { host } of nodes) assert.doesNotMatch(host.sh('crm_mon -1'), /node1|OFFLINE|UNCLEAN/);
  });

  test('a machine is prepared, and could move', () => {
    for (const { host } of nodes) host.sh('ip link add br0 type bridge && ip link set br0 up');
    const [make, check, ...more] = section('Prepare a machine');
    assert.deepEqual(more, []);
    type(make);
    // A guest is installed.
    const guest = guestDisk(tempDir({ after: (body) => after(body) }), { name: 'web.img' });
    execFileSync('qemu-img', ['convert', '-n', '-f', 'raw', '-O', 'qcow2', guest, join(shared, 'web.qcow2')]);
    type(check);
  });

  test('the cluster gets it, and has it run', async () => {
    const [fencing, machine, ...more] = section('Give it to the cluster');
    assert.deepEqual(more, []);
    // The device alone is another one.
    type(fencing, (text) =>
      text.replace('fence_ipmilan', 'fence_test').replace(/ip=\S+ username=\S+ password=\S+ lanplus=1/, ''),
    );
    type(machine);
    settle();
    await wait('it runs', () => nodes.some(runsOn));
    for (const { host } of nodes) assert.equal(host.run('qemu-init check web').stdout, 'web: good\n');
  });

  test('all that is to be tried does what the page says', async () => {
    const [tries, ...more] = section('Try it before you rely on it');
    assert.deepEqual(more, []);
    assert.equal(tries?.kind, 'typed');
    const [look, standby, online, kill, fence, ...rest] = tries.lines.map(
      (line): PageBlock => ({
        kind: 'typed',
        lines: [line],
      }),
    );
    assert.deepEqual(rest, []);
    assert.ok(isOnlyOn(one), one.host.sh('crm_mon -1'));
    type(look);
    type(standby);
    await wait('it is on the other node', () => isOnlyOn(two));
    settle();
    assert.equal(JSON.parse(one.host.run('qemu-init status --json web').stdout)[0].lastEnd.cause, 'moved');
    type(online);
    settle();
    assert.ok(isOnlyOn(two));
    type(kill);
    await wait('its end is noticed', () => one.host.run('crm_mon -1').stdout.includes('Failed Resource Actions'));
    settle();
    await wait('it runs again', () => nodes.filter(runsOn).length === 1);
    type(fence);
    assert.deepEqual(fenced(), [NAMES[1]]);
    await two.boot();
    // Its network is not that of a host, which would be there earlier.
    two.host.sh('ip link add br0 type bridge; ip link set br0 up; systemctl start corosync pacemaker');
    await wait('both are online', areOnline);
    settle();
  });

  test('a node whose power cord is pulled is fenced, and its machine goes on on the other', async () => {
    const holder = nodes.find(runsOn);
    const other = nodes.find((each) => each !== holder);
    assert.ok(holder && other);
    const count = fenced().length;
    await holder.cut();
    await wait('it runs on the other node', () => runsOn(other));
    assert.deepEqual(fenced().slice(count), [holder.name]);
  });
});
