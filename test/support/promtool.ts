import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianPackage } from './debian-package.ts';

/** Faults that Prometheus' own checker finds in metrics; `undefined` where its package cannot be had. */
export function faultsOfMetrics(text: string): string | undefined {
  return faultsOf(['check', 'metrics'], text);
}

/** The same for a file with rules for alerts. */
export function faultsOfRules(path: string): string | undefined {
  return faultsOf(['check', 'rules', path], '');
}

function faultsOf(args: readonly string[], input: string): string | undefined {
  const promtool = findPromtool();
  if (promtool === undefined) return undefined;
  const { status, stdout, stderr } = spawnSync(promtool, args, { input, encoding: 'utf8' });
  return status === 0 && stderr === '' ? '' : `${stdout}${stderr}` || `promtool ended with ${status}`;
}

function findPromtool(): string | undefined {
  try {
    const release = /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'debian';
    const program = join(debianPackage('prometheus', `${release}-prometheus`), 'usr/bin/promtool');
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return program;
  } catch {
    return undefined;
  }
}
