"""What people ask about their money: what was spent, what it would cost exactly, and whether the bill agrees.

Composes the books, the budget and the client; the paid path itself is not here and needs none of this.
"""
