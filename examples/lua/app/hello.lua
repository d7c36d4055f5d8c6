-- SPDX-License-Identifier: Apache-2.0
local words = {}
for word in ("box a from hello"):gmatch("%a+") do
	table.insert(words, 1, word)
end
print(table.concat(words, " ") .. " (" .. _VERSION .. ")")
