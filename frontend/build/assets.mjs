// Makes what the console takes from npm: Element Plus's stylesheet without its components, and ECharts in one module.
// Trunk runs it before each build; it does nothing while its outputs are newer than what they are made of.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const frontend = fileURLToPath(new URL('..', import.meta.url));
const sheet = `${frontend}style/element.css`;
const charts = `${frontend}assets/echarts.js`;

// The components whose look the console borrows. Their styles are small apart and large together.
const components = `alert aside avatar badge breadcrumb breadcrumb-item button button-group card cascader cascader-panel checkbox
  checkbox-button checkbox-group collapse collapse-item collapse-transition container date-picker date-picker-panel
  descriptions descriptions-item dialog divider drawer dropdown dropdown-item dropdown-menu empty form form-item header
  icon image image-viewer input input-number link loading main menu menu-item menu-item-group message message-box
  notification option option-group overlay page-header pagination popconfirm popover popper progress radio radio-button
  radio-group result scrollbar segmented select select-dropdown skeleton skeleton-item space statistic step steps
  sub-menu switch tab-pane table table-column tabs tag text time-picker timeline timeline-item tooltip tree tree-select
  upload`.split(/\s+/);

async function stylesheet() {
  const theme = `${frontend}node_modules/element-plus/theme-chalk`;
  const files = [`${theme}/base.css`, ...components.map((name) => `${theme}/el-${name}.css`), `${theme}/dark/css-vars.css`];
  const parts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return (await transform(parts.join('\n'), { loader: 'css', minify: true, charset: 'utf8' })).code;
}

async function modified(file) {
  return (await stat(file).catch(() => ({ mtimeMs: 0 }))).mtimeMs;
}

const inputs = ['package-lock.json', 'build/assets.mjs', 'build/echarts.mjs'].map((name) => modified(frontend + name));
const outputs = [sheet, charts].map(modified);
if (Math.max(...(await Promise.all(inputs))) > Math.min(...(await Promise.all(outputs)))) {
  await mkdir(`${frontend}assets`, { recursive: true });
  await writeFile(sheet, await stylesheet());
  await build({
    entryPoints: [`${frontend}build/echarts.mjs`],
    outfile: charts,
    bundle: true,
    format: 'esm',
    minify: true,
    legalComments: 'none',
  });
}
