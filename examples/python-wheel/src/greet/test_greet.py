# SPDX-License-Identifier: Apache-2.0
import unittest

from greet import greeting


class Greeting(unittest.TestCase):
    def test_name(self):
        self.assertEqual(greeting("you"), "hello from you")

    def test_nobody(self):
        self.assertEqual(greeting(), "hello from the box")
