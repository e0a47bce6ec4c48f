/** What stands at the beginning of each bundle, and what in it is replaced by that: for the sake of a fast start. */

/** Modules of Node.js that take a while to load, and that many calls need nothing of. */
const LATER =
  /=require\("(node:(?:child_process|crypto|fs\/promises|net|os|readline|stream|string_decoder|timers\/promises|tls|url|worker_threads))"\)/g;

/** Of esbuild. The clock that `performance.now()` reads is had for nothing; node:perf_hooks takes a millisecond to load. */
export const DEFINE = { 'import.meta.url': 'bundle.url', 'performance.now': 'monotonicNow' };

/** What {@link DEFINE} and {@link inLater} name. */
export const PRELUDE =
  'const bundle={get url(){return require("node:url").pathToFileURL(__filename).href}};' +
  'const monotonicNow=()=>{const[s,n]=process.hrtime();return s*1e3+n/1e6};' +
  'const whenUsed=(id)=>new Proxy({},{get:(_,key)=>require(id)[key]});';

/** Has code load such a module when the first of its functions is looked up, instead of at the start. */
export function inLater(code) {
  return code.replace(LATER, '=whenUsed("$1")');
}

/** @throws when bundles could not be read as ASCII, which is the fastest. esbuild escapes what is in strings, but not in regular expressions. */
export function insistOnAscii(name, text) {
  if (/[\u0080-\uffff]/.test(text)) throw new Error(`${name} is not ASCII, as loader.cjs takes it to be`);
}
