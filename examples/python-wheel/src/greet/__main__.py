# SPDX-License-Identifier: Apache-2.0
import sys

from greet import greeting

print(greeting(*sys.argv[1:2]) + f" (Python {sys.version_info.major})")
