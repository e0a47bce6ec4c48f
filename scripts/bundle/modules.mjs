/**
 * The modules of some tools, each as the body of a function that is called when something of it is used first: most calls need a small part
 * of a tool, and V8 reads what is kept of code that has run much faster than it compiles it, but not for nothing.
 *
 * No module does anything when it is loaded that others could notice, so that it does not matter when that is.
 */
import { relative } from 'node:path';
import { build } from 'esbuild';

/** What esbuild adds to a module, once for all of them. */
export const HELPERS =
  'const __defProp=Object.defineProperty,__toESM=(mod,node)=>{const to=node||!mod||!mod.__esModule?__defProp({},"default",{value:mod,enumerable:!0}):{};' +
  'for(const key of Object.getOwnPropertyNames(mod))Object.hasOwn(to,key)||__defProp(to,key,{get:()=>mod[key],enumerable:!0});return to};';

/** Packages whose code is put next to that of the tools. */
export const PACKAGES = ['ini', 'proper-lockfile', 'yargs'];
/** What Node.js takes for the default export of a CommonJS module is module.exports. */
export const DEFAULT_EXPORT =
  'module.exports = Object.assign(module.exports.default ?? module.exports, module.exports);';
const CALL = /require\("(src\/[^"]+)"\)/g;

/**
 * The bodies of all modules that tools consist of, by their names, in which others are called for by theirs; and the files that are in them.
 *
 * @param {string} root the checkout.
 * @param {string[]} entries paths of the tools.
 * @param {object} options of esbuild.
 * @param {object[]} plugins for packages that are loaded from elsewhere.
 */
export async function modulesOf(root, entries, options, plugins) {
  const common = { ...options, banner: {}, format: 'cjs', write: false, outdir: root, outbase: root };
  const { metafile } = await build({ ...common, plugins, entryPoints: entries });
  const names = Object.keys(metafile.inputs).filter((path) => path.startsWith('src/'));
  const inputs = [...names.sort(), ...PACKAGES.map((name) => ({ in: name, out: `src/${name}` }))];
  const { outputFiles } = await build({ ...common, plugins: [...plugins, apart(root)], entryPoints: inputs });
  const bodies = outputFiles.map(({ path, text }) => [nameOf(relative(root, path)), text]);
  return {
    bodies: new Map(
      bodies.map(([name, text]) => [name, isPackage(name) ? `${text}${DEFAULT_EXPORT}` : bodyOf(name, text)]),
    ),
    inputs: Object.keys(metafile.inputs),
  };
}

/** The code of a module in which modules are called for by numbers. */
export function numbered(body, numberOf) {
  return body.replace(CALL, (_, name) => `require(${numberOf(name)})`);
}

const isPackage = (name) => PACKAGES.some((each) => name === `src/${each}`);
const nameOf = (path) => path.replace(/\.c?[jt]s$/, '');

/** Leaves each module in a file of its own. */
function apart(root) {
  return {
    name: 'apart',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /.*/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
        if (pluginData === apart || kind === 'entry-point' || path.startsWith('node:')) return undefined;
        if (importer.includes('/node_modules/')) return undefined;
        if (PACKAGES.includes(path)) return { path: `src/${path}`, external: true };
        const { path: file } = await resolve(path, { kind, importer, resolveDir, pluginData: apart });
        return { path: nameOf(relative(root, file)), external: true };
      });
    },
  };
}

/**
 * What esbuild makes of a module, but for two things: others are called for when something of theirs is used, and what it exports is in a
 * plain object.
 */
function bodyOf(name, text) {
  const found = /var (\w+_exports)=\{\};(?:__export\(\1,\{(.*?)\}\);)?module\.exports=__toCommonJS\(\1\);/.exec(text);
  if (!found) throw new Error(`${name} exports nothing`);
  const helpers = text.slice(0, found.index);
  const body = text
    .slice(found.index + found[0].length)
    .replace(/0&&\(module\.exports=\{[^}]*\}\);\s*$/, '')
    .replaceAll(/__toESM\((require\("(src\/[^"]+)"\))(?:,1)?\)/g, (all, call, other) =>
      isPackage(other) ? all : call,
    );
  // Helpers that few modules need.
  const own = helpers.includes('__using=') ? helpers : '';
  return own + loadedLate(`${body};module.exports={${exportsOf(name, found[2] ?? '')}};`);
}

/** `import_x=require("x")` where it is declared, and `import_x` where it is used. */
function loadedLate(body) {
  const calls = new Map();
  const declared = /(?<=[ ,])(import_[\w$]+)=((?:__toESM\()?require\("[^"]+"\)(?:,1)?\)?)(?=[,;])/g;
  const rest = body.replace(declared, (_, variable, call) => {
    calls.set(variable, call);
    return `${variable}\0`;
  });
  return rest.replace(/(?<![\w$]|[^.]\.)(import_[\w$]+)(\0?)/g, (_, variable, isDeclared) => {
    if (isDeclared || !calls.has(variable)) return variable;
    return `(${variable}??=${calls.get(variable)})`;
  });
}

/** Members of an object: what is another module's is read there, when it is. */
function exportsOf(name, text) {
  const entries = [...text.matchAll(/(\w+):\(\)=>([\w.$]+)(?:,|$)/g)];
  if (entries.map(([each]) => each).join('') !== text) throw new Error(`Exports of ${name}: ${text}`);
  return entries
    .map(([, key, value]) => (value.startsWith('import_') ? `get ${key}(){return ${value}}` : `${key}:${value}`))
    .join();
}
