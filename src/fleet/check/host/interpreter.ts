import { QemuError } from '../../../base/errors.ts';
import type { Problem } from '../../../base/problem.ts';
import { readTextIfExists } from '../../../system/files/files.ts';
import { run } from '../../../system/process/exec.ts';
import { DEFAULT_PATH, findProgram } from '../../../system/process/find-program.ts';
import { whyNotForServices } from '../../../system/trust/trusted-program.ts';
import { interpreterOf } from '../../install/interpreter.ts';
import { installedLayouts } from '../../install/layout.ts';

/** The oldest Node.js that the tools run on: `engines` of package.json. */
const OLDEST = [20, 19] as const;

/** Checks the Node.js with which services run the installed tools; the present process may use another one. */
export async function checkInterpreter(source: string, signal: AbortSignal): Promise<Problem[]> {
  const tools = installedLayouts(source).map(({ libDir }) => `${libDir}/bin/qemu-init`);
  const findings = await Promise.all(tools.map((tool) => checkTool(tool, signal)));
  return findings.flat();
}

async function checkTool(tool: string, signal: AbortSignal): Promise<Problem[]> {
  const text = readTextIfExists(tool);
  if (text === undefined) return [];
  const reason = await whyNotRun(text, signal);
  if (reason === undefined) return [];
  return [
    {
      severity: 'error',
      machine: undefined,
      message: 'Node.js of the installed tools does not work',
      detail: `"${tool}": ${reason}; no unit and no init script can start or stop a machine with it`,
      hint: 'install Node.js for all users (apt install nodejs), then: qemu-init install',
    },
  ];
}

async function whyNotRun(text: string, signal: AbortSignal): Promise<string | undefined> {
  const { program, argument } = interpreterOf(text) ?? { program: '', argument: '' };
  if (program === '') return 'its first line does not name a program';
  const isLookedUp = program.endsWith('/env');
  const node = isLookedUp ? findProgram(argument, DEFAULT_PATH) : program;
  if (node === undefined) return `"${argument}" is not in any of the folders searched by services: ${DEFAULT_PATH}`;
  const distrust = whyNotForServices(node);
  if (distrust !== undefined) return distrust;
  try {
    const { stdout, exitCode } = await run(node, ['--version'], { signal });
    const [, major = 0, minor = 0] = /^v(\d+)\.(\d+)\./.exec(stdout)?.map(Number) ?? [];
    if (exitCode !== 0 || major === 0) return `"${node}" does not run`;
    const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
    return isOld ? `"${node}" is ${stdout.trim()}, but ${OLDEST.join('.')} or newer is needed` : undefined;
  } catch (error) {
    if (signal.aborted || !(error instanceof QemuError)) throw error;
    return error.message;
  }
}
