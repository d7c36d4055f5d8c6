// SPDX-License-Identifier: Apache-2.0
'use strict';

const { greet } = require('./greet.js');

console.log(greet(process.argv.slice(2)));
