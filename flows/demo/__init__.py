"""The demonstration: a whole campaign on the sandbox, then one bought while it is killed again and again.

Always on the embedded sandbox, whatever the project's settings say: a demonstration must never spend money.
"""

from flows.demo.show import show

__all__ = ["show"]
