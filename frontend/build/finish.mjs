// Completes what Trunk has built: gives the lazily loaded charts a name with their hash and, in a release, lays the
// compressed twin of every text file beside it, so that the server never compresses.
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const staging = process.env.TRUNK_STAGING_DIR;

const charts = await readFile(`${staging}/echarts.js`);
const name = `echarts-${createHash('sha256').update(charts).digest('hex').slice(0, 16)}.js`;
await rename(`${staging}/echarts.js`, `${staging}/${name}`);
const page = await readFile(`${staging}/index.html`, 'utf8');
await writeFile(`${staging}/index.html`, page.replaceAll('echarts.js', name));

if (process.env.TRUNK_PROFILE === 'release') {
  const files = await readdir(staging, { recursive: true });
  await Promise.all(
    files
      .filter((file) => /\.(css|html|js|json|svg|wasm)$/.test(file))
      .map(async (file) => {
        const plain = await readFile(`${staging}/${file}`);
        const best = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } };
        await writeFile(`${staging}/${file}.br`, await promisify(brotliCompress)(plain, best));
        await writeFile(`${staging}/${file}.gz`, await promisify(gzip)(plain, { level: 9 }));
      }),
  );
}
