import type { Problem } from '../../base/problem.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { NodeFacts } from './node-facts.ts';

/**
 * What two nodes of a cluster have differently of one machine, as problems of its file here. Pure.
 *
 * @param node name of the other one; `login`: the command that runs a command there.
 */
export function compareNodes(
  here: NodeFacts,
  there: NodeFacts,
  { node, login }: { readonly node: string; readonly login: string },
): Problem[] {
  const problem = (severity: Problem['severity'], message: string, hint?: string): Problem => {
    return { severity, message: `${node}: ${message}`, hint, file: here.cfg };
  };
  if (!there.isRegistered) {
    return [
      ...(there.isRunning ? [problem('error', 'the machine runs there, though it is not registered')] : []),
      problem(
        'error',
        'the machine is not registered there',
        'the file and its line in the registry belong to each node',
      ),
    ];
  }
  const show = `${login} ${shellCommand(shellCommand('cat', there.cfg))} | diff ${shellCommand(here.cfg)} -`;
  return [
    ...(here.isRunning && there.isRunning
      ? [problem('error', 'the machine runs there too', 'stop it at once on one of the nodes: both write to its disks')]
      : []),
    ...(here.shortName === there.shortName
      ? []
      : [problem('error', `its short name there is ${quoted(there.shortName)}, and here ${quoted(here.shortName)}`)]),
    ...(here.cfgHash === there.cfgHash ? [] : [problem('error', 'the file of the machine is another one there', show)]),
    ...(here.defaultsHash === there.defaultsHash
      ? []
      : [problem('warning', 'defaults-qemu.cfg is another one there, and counts for each machine')]),
    ...macProblems(here, there, problem),
    ...(here.uid === there.uid || here.uid === undefined || there.uid === undefined
      ? []
      : [
          problem(
            'error',
            `the user that runs the machine has UID ${there.uid} there, and ${here.uid} here`,
            'files on shared storage belong to a number: give it the same one on each node',
          ),
        ]),
    ...there.problems.map((message) => problem('error', message)),
  ];
}

function macProblems(
  here: NodeFacts,
  there: NodeFacts,
  problem: (severity: Problem['severity'], message: string, hint?: string) => Problem,
): Problem[] {
  const others = new Map(there.macs);
  return here.macs.flatMap(([nic, mac]) => {
    const other = others.get(nic);
    if (other === undefined || other === mac) return [];
    const hint = `write it into the file: NIC${nic}=…,mac=${mac}`;
    return [problem('error', `NIC${nic} has the address ${other} there, and ${mac} here`, hint)];
  });
}

function quoted(name: string | undefined): string {
  return name === undefined ? 'none' : `"${name}"`;
}
