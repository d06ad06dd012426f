// Puts a .gz beside each file of dist/ that gains by it, for a server that sends files as they are, and holds the
// bundle to its size.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const MAX_BYTES = 400_000;
const dist = new URL('../dist', import.meta.url).pathname;
let bytes = 0;
for (const file of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!file.isFile() || !/\.(js|css|html|svg)$/.test(file.name)) continue;
  const path = join(file.parentPath, file.name);
  const packed = gzipSync(readFileSync(path), { level: 9 });
  writeFileSync(`${path}.gz`, packed);
  bytes += packed.length;
}
process.stdout.write(`dashboard: ${(bytes / 1000).toFixed(1)} kB gzip\n`);
if (bytes > MAX_BYTES) {
  process.stderr.write(`that is more than ${MAX_BYTES / 1000} kB\n`);
  process.exit(1);
}
