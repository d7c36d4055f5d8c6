# SPDX-License-Identifier: Apache-2.0
"""Greets whoever is named."""


def greeting(name="the box"):
    """What to say."""
    return f"hello from {name}"
