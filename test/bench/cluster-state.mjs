/** How often the monitors of docs/two-servers.md look. */
export const INTERVALS = [
  { depth: 0, seconds: 10 },
  { depth: 10, seconds: 100 },
];

/**
 * The state of a cluster (its CIB, see crm_feature_set 3.16) in which all machines run, the same number on each host: what
 * its scheduler reads whenever anything happens.
 */
export function clusterState(hosts, machines) {
  const nodes = Array.from({ length: hosts }, (_, i) => i + 1);
  const names = Array.from({ length: hosts * machines }, (_, i) => `m${i}`);
  const hostOf = (i) => nodes[i % hosts];
  return [
    '<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0"',
    ' have-quorum="1" dc-uuid="1"><configuration><crm_config><cluster_property_set id="options">',
    '<nvpair id="stonith" name="stonith-enabled" value="false"/></cluster_property_set></crm_config><nodes>',
    ...nodes.map((node) => `<node id="${node}" uname="node${node}"/>`),
    '</nodes><resources>',
    ...names.map(primitive),
    '</resources><constraints/><rsc_defaults><meta_attributes id="defaults">',
    '<nvpair id="stickiness" name="resource-stickiness" value="100"/></meta_attributes></rsc_defaults>',
    '</configuration><status>',
    ...nodes.map((node) => nodeState(node, names, hostOf)),
    '</status></cib>\n',
  ].join('');
}

function primitive(name) {
  return [
    `<primitive id="${name}" class="ocf" provider="qemu-init" type="machine"><instance_attributes id="${name}-p">`,
    `<nvpair id="${name}-machine" name="machine" value="${name}"/></instance_attributes><operations>`,
    `<op id="${name}-start" name="start" interval="0s" timeout="120s"/>`,
    `<op id="${name}-stop" name="stop" interval="0s" timeout="180s"/>`,
    ...INTERVALS.map(
      ({ depth, seconds }) =>
        `<op id="${name}-monitor-${depth}" name="monitor" interval="${seconds}s" timeout="60s"><instance_attributes ` +
        `id="${name}-${depth}"><nvpair id="${name}-level-${depth}" name="OCF_CHECK_LEVEL" value="${depth}"/>` +
        '</instance_attributes></op>',
    ),
    '</operations></primitive>',
  ].join('');
}

/** Each node has looked once for each machine, and monitors those that it runs. */
function nodeState(node, names, hostOf) {
  return [
    `<node_state id="${node}" uname="node${node}" in_ccm="true" crmd="online" join="member" expected="member">`,
    `<lrm id="${node}"><lrm_resources>`,
    ...names.map((name, i) => {
      const operations =
        hostOf(i) === node
          ? [
              operation(name, 'start', 0, 0),
              ...INTERVALS.map(({ seconds }) => operation(name, 'monitor', seconds * 1000, 0)),
            ]
          : [operation(name, 'monitor', 0, 7)];
      return `<lrm_resource id="${name}" class="ocf" provider="qemu-init" type="machine">${operations.join('')}</lrm_resource>`;
    }),
    '</lrm_resources></lrm></node_state>',
  ].join('');
}

function operation(name, action, interval, code) {
  const key = '1:1:0:00000000-0000-0000-0000-000000000000';
  const id = interval === 0 ? `${name}_last_0` : `${name}_${action}_${interval}`;
  return (
    `<lrm_rsc_op id="${id}" operation_key="${name}_${action}_${interval}" operation="${action}" interval="${interval}" ` +
    `crm-debug-origin="simulation" crm_feature_set="3.16.1" transition-key="${key}" transition-magic="0:${code};${key}" ` +
    `call-id="1" rc-code="${code}" op-status="0" last-rc-change="1700000000" exec-time="0" queue-time="0"/>`
  );
}
