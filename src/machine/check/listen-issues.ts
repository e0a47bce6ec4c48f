import type { Problem } from '../../base/problem.ts';
import { quote } from '../../base/text.ts';
import { isIpv4, isIpv6 } from '../../config/text/values.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { listenProblem } from '../../system/ports.ts';
import { holderOfPort } from '../../system/process/holders.ts';
import { VNC_BASE_PORT } from '../allocation.ts';
import { locate } from '../run/locate.ts';
import { issueAt } from './issues.ts';

/**
 * Addresses and ports of VNC= and hostfwd= that QEMU could not listen at now. They come and go, and so these are
 * warnings; the machine itself is asked about nothing that it has while it runs.
 */
export async function listenIssues(config: MachineConfig, files: MachinePaths): Promise<Problem[]> {
  if (locate(files).kind !== 'stopped') return [];
  const { vnc } = config;
  const wanted = [
    ...(vnc.kind === 'tcp' && (vnc.display !== undefined || vnc.host !== '127.0.0.1')
      ? [
          {
            key: 'VNC',
            protocol: 'tcp',
            host: vnc.host,
            port: vnc.display === undefined ? 0 : VNC_BASE_PORT + vnc.display,
          } as const,
        ]
      : []),
    ...config.nics.flatMap(({ index, hostForwards }) =>
      hostForwards.map(({ protocol, hostAddress: host, hostPort: port }) => ({
        key: `NIC${index}`,
        protocol,
        host,
        port,
      })),
    ),
  ];
  const numeric = wanted.filter(({ host }) => host === '' || isIpv4(host) || isIpv6(host));
  const found = numeric.map(async ({ key, protocol, host, port }): Promise<Problem[]> => {
    const problem = await listenProblem(protocol, host, port);
    if (problem === undefined) return [];
    const place = `${host === '' ? 'any address' : host}${port === 0 ? '' : `, ${protocol} port ${port}`}`;
    const message = `${key} cannot listen at ${place} now: ${reasonOf(problem, protocol, port)}`;
    const hint =
      problem === 'EACCES' && port < 1024 ? 'only root may use ports below 1024; use 1024 or higher' : undefined;
    return [{ ...issueAt(config, key, message, hint), severity: 'warning' }];
  });
  return (await Promise.all(found)).flat();
}

function reasonOf(problem: string, protocol: 'tcp' | 'udp', port: number): string {
  const holder = problem === 'EADDRINUSE' ? holderOfPort(protocol, port) : undefined;
  return holder === undefined ? (WORDS[problem] ?? problem) : `${quote(holder.name)} (pid ${holder.pid}) has it`;
}

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program is using it',
  EADDRNOTAVAIL: 'that is not an address of this host',
  EACCES: 'this user may not use it',
};
