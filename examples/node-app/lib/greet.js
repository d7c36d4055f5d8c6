// SPDX-License-Identifier: Apache-2.0
'use strict';

/** What to say to these names. */
function greet(names) {
  return `hello from ${names.length > 0 ? names.join(' and ') : 'the box'}`;
}

module.exports = { greet };
