// Makes what the console takes from npm: one stylesheet of what it needs of Element Plus's and of its own, and ECharts in
// one module.
// Trunk runs it before each build; what is newer than all that it is made of is left as it is.
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const frontend = fileURLToPath(new URL('..', import.meta.url));
const sheet = `${frontend}assets/console.css`;
const charts = `${frontend}assets/echarts.js`;

// Our own sheets, in the order in which they overrule each other.
const own = ['palette', 'base', 'frame', 'list', 'over', 'form', 'login', 'dashboard', 'tariff', 'row', 'kit'].map((it) => `${frontend}style/${it}.css`);

// All sheets in one.
async function stylesheet() {
  const texts = await Promise.all(own.map((file) => readFile(file, 'utf8')));
  const { code } = await transform(texts.join('\n'), { loader: 'css', minify: true, charset: 'utf8' });
  return (await element()) + code;
}

// Element Plus's stylesheet, as far as the console's markup has its classes. Where a class is put together in the code,
// `el-tag--{}`, all that begin so are kept.
async function element() {
  const theme = `${frontend}node_modules/element-plus/theme-chalk`;
  const parts = await Promise.all(['index.css', 'dark/css-vars.css'].map((file) => readFile(`${theme}/${file}`, 'utf8')));
  const { code } = await transform(parts.join('\n'), { loader: 'css', minify: true, charset: 'utf8' });
  const texts = await Promise.all((await sources()).map((file) => readFile(file, 'utf8')));
  const classes = new Set();
  const beginnings = [];
  for (const [, name, more] of texts.join('\n').matchAll(/\b((?:el|is)-[\w-]+)({?)/g)) {
    if (more) beginnings.push(name);
    else classes.add(name);
  }
  return prune(code, (name) => classes.has(name) || beginnings.some((it) => name.startsWith(it)));
}

async function sources() {
  const files = await readdir(`${frontend}src`, { recursive: true });
  return files.filter((file) => file.endsWith('.rs')).map((file) => `${frontend}src/${file}`);
}

// Leaves out the selectors with a class of Element Plus that nothing has, and the rules that are left without a selector.
function prune(css, used) {
  const needed = (selector) => {
    const classes = selector.replaceAll(/:not\([^)]*\)/g, '').matchAll(/\.((?:el|is)-[\w-]+)/g);
    return [...classes].every(([, name]) => used(name));
  };
  let kept = '';
  for (let at = 0, open; (open = css.indexOf('{', at)) >= 0; ) {
    let end = open + 1;
    for (let depth = 1; depth > 0; end++) depth += { '{': 1, '}': -1 }[css[end]] ?? 0;
    const head = css.slice(at, open).replace(/^\s*@charset[^;]*;/, '').trim();
    const body = css.slice(open + 1, end - 1);
    if (/^@(media|supports)/.test(head)) {
      const inner = prune(body, used);
      if (inner) kept += `${head}{${inner}}`;
    } else {
      const selectors = head.startsWith('@') ? [head] : head.split(/,(?![^(]*\))/).filter(needed);
      if (selectors.length > 0) kept += `${selectors}{${body}}`;
    }
    at = end;
  }
  return kept;
}

async function modified(file) {
  return (await stat(file).catch(() => ({ mtimeMs: 0 }))).mtimeMs;
}

async function newer(inputs, output) {
  const times = await Promise.all(inputs.map(modified));
  return Math.max(...times) > (await modified(output));
}

const recipe = ['package-lock.json', 'build/assets.mjs', 'build/echarts.mjs'].map((name) => frontend + name);
await mkdir(`${frontend}assets`, { recursive: true });
if (await newer([...recipe, ...own, ...(await sources())], sheet)) await writeFile(sheet, await stylesheet());
if (await newer(recipe, charts)) {
  await build({
    entryPoints: [`${frontend}build/echarts.mjs`],
    outfile: charts,
    bundle: true,
    format: 'esm',
    minify: true,
    legalComments: 'none',
  });
}
