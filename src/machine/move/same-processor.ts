import { asArray, asNumber, asRecord, asText } from '../../base/guards.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { type HardwareThen, release } from '../state/saved-differences.ts';

/** What a processor of x86 can do, in words of CPUID: register by register, bit by bit. */
export type FeatureWords = ReadonlyMap<string, number>;

/**
 * Asks a QEMU what the guest's first processor can do.
 *
 * @returns undefined where QEMU does not say.
 */
export async function featureWords(client: QmpClient, options: ExecuteOptions): Promise<FeatureWords | undefined> {
  const [first] = asArray(await client.executeRaw('query-cpus-fast', undefined, options)).map(asRecord);
  const path = asText(first?.['qom-path']);
  try {
    return readFeatureWords(await client.executeRaw('qom-get', { path, property: 'feature-words' }, options));
  } catch {
    return undefined;
  }
}

/** The value of the property `feature-words` of a processor; undefined when it is none. Pure. */
export function readFeatureWords(words: unknown): FeatureWords | undefined {
  if (!Array.isArray(words)) return undefined;
  return new Map(
    asArray(words).map((each) => {
      const { features, ...place } = asRecord(each);
      const { 'cpuid-input-eax': eax, 'cpuid-input-ecx': ecx, 'cpuid-register': register } = place;
      return [`${asNumber(eax).toString(16)}.${asNumber(ecx)}.${asText(register)}`, asNumber(features)];
    }),
  );
}

/**
 * Whether a processor is the same without being looked at: the same options make the same one in the same version of QEMU
 * under TCG. Under KVM the host's own processor and kernel take features away from any model. Pure.
 */
export function isProcessorCertain(
  then: Pick<HardwareThen, 'qemu' | 'args'>,
  now: { readonly qemuVersion: string; readonly args: readonly string[] },
): boolean {
  const isEmulated = (args: readonly string[]): boolean => (args[args.indexOf('-accel') + 1] ?? '').startsWith('tcg');
  return release(then.qemu.version) === release(now.qemuVersion) && isEmulated(then.args) && isEmulated(now.args);
}

/** PCOMMIT, which Intel withdrew before any processor had it: QEMU 7.2 claims it under TCG, and later ones do not. */
const UNUSED: FeatureWords = new Map([['7.0.EBX', 1 << 22]]);

/**
 * Why a guest that was started on one processor cannot go on on another; undefined when it can. A guest looks once at
 * what there is, so that more does no harm. Pure.
 */
export function processorDifference(
  before: FeatureWords | undefined,
  after: FeatureWords | undefined,
): string | undefined {
  if (before === undefined || after === undefined) return 'it is not known what its processor can do';
  const missing = [...before].flatMap(([word, bits]) => {
    const gone = (bits & ~(after.get(word) ?? 0) & ~(UNUSED.get(word) ?? 0)) >>> 0;
    return gone === 0 ? [] : [`${word}: 0x${gone.toString(16)}`];
  });
  return missing.length === 0 ? undefined : `its processor would lose features (CPUID ${missing.join(', ')})`;
}
