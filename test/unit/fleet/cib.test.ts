import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import { clusterResources, resourceOf, resourcesInCib } from '../../../src/fleet/cluster/cib.ts';
import { clusterIssues } from '../../../src/fleet/cluster/cluster-issues.ts';
import { resolvePaths } from '../../../src/system/paths.ts';
import { tempRoot } from '../../support/temp-root.ts';

const nvpair = (name: string, value: string): string =>
  `<instance_attributes id="a"><nvpair id="b" name="${name}" value="${value}"/></instance_attributes>`;
const OURS = 'class="ocf" provider="qemu-init" type="machine"';

test('the machines of a cluster are read from its CIB, with and without templates and groups', () => {
  const cib = `<cib><configuration><resources>
    <primitive id="fence" class="stonith" type="fence_ipmilan"/>
    <primitive id="disk" class="ocf" provider="heartbeat" type="Filesystem">${nvpair('machine', 'none')}</primitive>
    <template id="small" ${OURS}><meta_attributes id="m"><nvpair id="n" name="x" value="a&gt;b"/></meta_attributes></template>
    <group id="g"><primitive ${OURS} id="vm-web">
      ${nvpair('machine', 'web')}<operations><op id="o" name="stop"/></operations></primitive></group>
    <primitive id="vm-db" template="small">${nvpair('machine', 'db')}</primitive>
    <primitive id="empty" ${OURS}/>
  </resources></configuration></cib>`;
  assert.deepEqual(
    [...resourcesInCib(cib)],
    [
      ['web', 'vm-web'],
      ['db', 'vm-db'],
    ],
  );
  assert.deepEqual([...resourcesInCib(cib.slice(0, 480))], []);
});

test('a host without a cluster, and a CIB that is not a file, have no machines; users have none in a cluster', (t) => {
  const root = tempRoot(t);
  const paths = resolvePaths({ root: root.dir }, {}, 0, '/');
  assert.deepEqual([...clusterResources(paths)], []);
  root.write('var/lib/pacemaker/cib/cib.xml', `<primitive id="r" ${OURS}>${nvpair('machine', 'w')}</primitive>`);
  assert.equal(resourceOf(clusterResources(paths), { longName: 'web', shortName: 'w' }), 'r');
  assert.equal(resourceOf(clusterResources(paths), { longName: 'web', shortName: undefined }), undefined);
  assert.deepEqual([...clusterResources({ ...paths, scope: 'user' })], []);
  const other = tempRoot(t);
  other.write('var/lib/pacemaker/cib/cib.xml/x', '');
  assert.deepEqual([...clusterResources(resolvePaths({ root: other.dir }, {}, 0, '/'))], []);
});

test('what would start a clustered machine elsewhere is an error, and what differs between nodes a warning', () => {
  const issues = (text: string): string[] => {
    const { config, issues: mistakes } = parseMachineConfig(text, { path: '/etc/qemu/web-qemu.cfg' });
    assert.ok(config, JSON.stringify(mistakes));
    return clusterIssues(config, 'vm-web', config.ownUser).map(({ severity, key }) => `${severity} ${key}`);
  };
  assert.deepEqual(issues('RAM=1G\n'), []);
  assert.deepEqual(issues('AUTOSTART=on\nRESTART=always\nREQUIRES=db\nONSHUTDOWN=save\n'), [
    'error AUTOSTART',
    'error RESTART',
    'error REQUIRES',
    'error ONSHUTDOWN',
  ]);
  const perNode = 'NIC1=virtio\nFIRMWARE=uefi\nBACKUP=/srv/backup\nRUNAS=auto\nNETIF=managed\n';
  assert.deepEqual(issues(perNode), ['error RUNAS', 'warning NIC1', 'warning FIRMWARE', 'warning BACKUP']);
  assert.deepEqual(issues('NIC1=virtio,mac=52:54:00:00:00:01\nFIRMWARE=uefi,vars=/shared/web.fd\nNETIF=managed\n'), []);
});
