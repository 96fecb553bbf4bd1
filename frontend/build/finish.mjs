// Completes what Trunk has built, so that every file but the page can be cached for ever and none is compressed twice:
// the script and its snippets become one, named by its contents like the charts. A release's module is made small, and
// all its files get compressed twins.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build } from 'esbuild';
import { shorten } from './names.mjs';

const staging = process.env.TRUNK_STAGING_DIR;
let page = await readFile(`${staging}/index.html`, 'utf8');

// Puts the contents under a name with their hash, in the place of a file that is named in the page.
async function replace(file, contents) {
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 16);
  const name = file.replace(/(-[0-9a-f]+)?(_bg)?(\.\w+)$/, `-${hash}$2$3`);
  await rm(`${staging}/${file}`);
  await writeFile(`${staging}/${name}`, contents);
  page = page.replaceAll(file, name);
}

await replace('echarts.js', await readFile(`${staging}/echarts.js`));

const script = page.match(/data-script="\/([^"]+)"/)[1];
const bundle = await build({
  stdin: { contents: `export { default } from './${script}'`, resolveDir: staging },
  bundle: true,
  format: 'esm',
  minify: true,
  target: 'es2022',
  write: false,
});
await rm(`${staging}/snippets`, { recursive: true, force: true });
page = page.replaceAll(/<link rel="modulepreload" href="\/snippets[^>]*>/g, '');
const release = process.env.TRUNK_PROFILE === 'release';
const bundled = bundle.outputFiles[0].text;
await replace(script, release ? await shrink(page.match(/data-module="\/([^"]+)"/)[1], bundled) : bundled);
await writeFile(`${staging}/index.html`, page);

// Drops the module's exports that the script does not name, with all that only they lead to, and optimises the rest.
// Functions stand by their names, so that those made for one type resemble their neighbours, which compresses better.
// Gives the script as it goes with the module.
async function shrink(file, script) {
  const run = (program, ...options) => promisify(execFile)(program, options, { cwd: staging });
  const exports = WebAssembly.Module.exports(new WebAssembly.Module(await readFile(`${staging}/${file}`)));
  const graph = exports.map(({ name }) => ({ name: `export ${name}`, export: name, ...(script.includes(name) && { root: true }) }));
  await writeFile(`${staging}/exports.json`, JSON.stringify(graph));
  await run('wasm-metadce', file, '--graph-file', 'exports.json', '--debuginfo', '-o', 'small.wasm');
  // More passes take twice as long for less than one part in a hundred.
  await run('wasm-opt', 'small.wasm', '-O1', '--reorder-functions-by-name', '-o', 'small.wasm');
  const [module, renamed] = shorten(await readFile(`${staging}/small.wasm`), script);
  await replace(file, module);
  await Promise.all(['exports.json', 'small.wasm'].map((name) => rm(`${staging}/${name}`)));
  return renamed;
}

if (release) {
  const files = await readdir(staging);
  await Promise.all(
    files
      .filter((file) => /\.(css|html|js|svg|wasm)$/.test(file))
      .map(async (file) => {
        const plain = await readFile(`${staging}/${file}`);
        const brotli = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } };
        await writeFile(`${staging}/${file}.br`, await promisify(brotliCompress)(plain, brotli));
        await writeFile(`${staging}/${file}.gz`, await promisify(gzip)(plain, { level: 9 }));
      }),
  );
}
