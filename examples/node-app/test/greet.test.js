// SPDX-License-Identifier: Apache-2.0
'use strict';

const assert = require('node:assert');
const test = require('node:test');
const { greet } = require('../lib/greet.js');

test('greets by name', () => assert.strictEqual(greet(['you']), 'hello from you'));
test('greets several', () => assert.strictEqual(greet(['a', 'b']), 'hello from a and b'));
test('greets nobody in particular', () => assert.strictEqual(greet([]), 'hello from the box'));
