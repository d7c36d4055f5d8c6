// SPDX-License-Identifier: Apache-2.0
// Bundles lib/ into dist/app.js: each module as a function, in the order of their names.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const lib = path.join(__dirname, '..', 'lib');
const dist = path.join(__dirname, '..', 'dist');
const modules = fs.readdirSync(lib).filter((name) => name.endsWith('.js')).sort();

const text = modules
  .map((name) => `${JSON.stringify(`./${name}`)}: (module, require) => {\n${fs.readFileSync(path.join(lib, name), 'utf8')}},\n`)
  .join('');
fs.mkdirSync(dist, { recursive: true });
fs.writeFileSync(
  path.join(dist, 'app.js'),
  `const modules = {\n${text}};\nconst load = (name) => {\n  const module = {};\n  modules[name](module, load);\n` +
    `  return module.exports;\n};\nload('./main.js');\n`,
);
