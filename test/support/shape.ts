import assert from 'node:assert/strict';

/** What a JSON value has to be: a name of a type, one of several, a list of one shape, or exactly these members. */
export type Shape =
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'null'
  | RegExp
  | { readonly either: readonly Shape[] }
  | { readonly list: Shape }
  | { readonly members: Readonly<Record<string, Shape>> };

export const orNull = (shape: Shape): Shape => ({ either: [shape, 'null'] });

/** Fails with the path of the first value that is not as it should be. No member may be missing, none be extra. */
export function assertShape(value: unknown, shape: Shape, path = '$'): void {
  const problem = mismatch(value, shape, path);
  assert.equal(problem, undefined, `${problem} in ${JSON.stringify(value)}`);
}

function mismatch(value: unknown, shape: Shape, path: string): string | undefined {
  if (shape instanceof RegExp) {
    return typeof value === 'string' && shape.test(value) ? undefined : `${path} is not like ${shape}`;
  }
  if (typeof shape === 'string') return isOfType(value, shape) ? undefined : `${path} is no ${shape}`;
  if ('either' in shape) {
    const problems = shape.either.map((each) => mismatch(value, each, path));
    return problems.includes(undefined) ? undefined : problems.join(', and ');
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) return `${path} is no list`;
    return value.map((each, at) => mismatch(each, shape.list, `${path}[${at}]`)).find((each) => each !== undefined);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${path} is no object`;
  const extra = Object.keys(value).find((name) => !(name in shape.members));
  if (extra !== undefined) return `${path}.${extra} is not expected`;
  for (const [name, member] of Object.entries(shape.members)) {
    const problem = mismatch(Reflect.get(value, name), member, `${path}.${name}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null;
  return type === 'integer' ? Number.isSafeInteger(value) : typeof value === type;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/;
const VNC: Shape = orNull({ members: { host: 'string', display: orNull('integer'), port: orNull('integer') } });

const IMAGES: Shape = {
  list: {
    members: {
      key: /^DSK\d+$/,
      file: 'string',
      format: /^[a-z0-9]+$/,
      role: /^(image|backing|data|extent)$/,
      depth: 'integer',
    },
  },
};

const ISO_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** The documents of qemu-init as its manual describes them, one object a machine. */
export const DOCUMENTS = {
  status: {
    list: {
      members: {
        name: NAME,
        shortName: orNull(NAME),
        state: /^[a-z-]+$/,
        stateDetail: orNull('string'),
        pid: orNull('integer'),
        slot: orNull('integer'),
        monitorPort: orNull('integer'),
        controlPort: orNull('integer'),
        vnc: VNC,
        startedAt: orNull(ISO_TIME),
        uptimeSeconds: orNull('integer'),
        lastReset: orNull(ISO_TIME),
        configPath: /^\//,
        lastEnd: orNull({
          members: { cause: /^[a-z-]+$/, at: orNull(ISO_TIME), exit: orNull('string'), lastReset: orNull(ISO_TIME) },
        }),
        restart: orNull(/^(pending|given-up)$/),
        problems: { list: 'string' },
      },
    },
  },
  start: {
    list: {
      members: {
        name: NAME,
        outcome: /^(started|already-running)$/,
        pid: 'integer',
        slot: orNull('integer'),
        monitorPort: orNull('integer'),
        controlPort: orNull('integer'),
        vnc: VNC,
        seconds: 'number',
      },
    },
  },
  stop: {
    list: {
      members: {
        name: NAME,
        outcome: /^(stopped|not-running)$/,
        rung: /^(none|powerdown|agent|quit|sigterm|sigkill)$/,
        state: 'string',
        seconds: 'number',
      },
    },
  },
  showcmd: {
    list: { members: { name: NAME, wrapper: { list: 'string' }, binary: /^\//, args: { list: 'string' } } },
  },
  list: {
    list: {
      members: {
        name: NAME,
        shortName: orNull(NAME),
        state: /^[a-z-]+$/,
        autostart: orNull('boolean'),
        bootOrder: orNull('integer'),
        configPath: /^\//,
        description: orNull('string'),
        problems: { list: 'string' },
      },
    },
  },
  check: {
    list: {
      members: {
        name: NAME,
        ok: 'boolean',
        problems: {
          list: {
            members: {
              file: /^\//,
              line: orNull('integer'),
              key: orNull('string'),
              message: 'string',
              severity: /^(error|warning)$/,
              hint: orNull('string'),
            },
          },
        },
        images: IMAGES,
      },
    },
  },
  explain: {
    list: {
      members: {
        name: NAME,
        wrapper: { list: 'string' },
        binary: /^\//,
        options: {
          list: {
            members: {
              args: { list: 'string' },
              key: orNull('string'),
              file: orNull(/^\//),
              line: orNull('integer'),
            },
          },
        },
        images: IMAGES,
      },
    },
  },
  registration: {
    list: {
      members: {
        name: NAME,
        shortName: orNull(NAME),
        configPath: orNull(/^\//),
        outcome: /^(registered|unregistered|unchanged)$/,
      },
    },
  },
  creation: {
    list: { members: { name: NAME, shortName: NAME, configPath: /^\//, outcome: /^created$/ } },
  },
  error: { members: { code: /^QEMU_[A-Z_]+$/, message: 'string', hint: orNull('string') } },
} as const satisfies Readonly<Record<string, Shape>>;
